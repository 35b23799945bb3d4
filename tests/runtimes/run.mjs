// Everything that JavaScript runtimes show of the npm package, packed and installed as a
// user would. Closes with `N passed, N failed, N skipped`.
//
//   node run.mjs [--only node-20,chromium,..] [--filter WORDS] [--tarball FILE]

import { existsSync } from "node:fs";
import { join } from "node:path";
import { HERE, npm } from "./lab/consumer.mjs";

if (!existsSync(join(HERE, "node_modules", ".package-lock.json"))) npm(HERE, "ci");
await import("./lab/parts.mjs");
