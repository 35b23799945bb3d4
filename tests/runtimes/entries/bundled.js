// What each bundler builds: the suite, to be run by the page or the process that loads it.

import { runSuite } from "../suite/index.js";

globalThis.runSuite = runSuite;
globalThis.ready = true;
