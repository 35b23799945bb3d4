// Runs a bundled suite in Node. Arguments: bundle, name, base URL, filter.

import { pathToFileURL } from "node:url";

const [bundle, runtime, base, filter = ""] = process.argv.slice(2);
await import(pathToFileURL(bundle).href);
const results = await globalThis.runSuite({ runtime, base, filter, env: {} });
console.log(`RESULTS ${JSON.stringify(results)}`);
