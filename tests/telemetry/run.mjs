// What the npm package reports, given to the real libraries of telemetry and to Prometheus. Closes with `N passed, N failed, N skipped`.
//
//   node run.mjs [--only watch,prometheus] [--tarball FILE | --built]
//
// --built packs what wasm/dist holds, in place of building it first.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
if (!existsSync(join(HERE, "node_modules", ".package-lock.json"))) {
  console.log("what telemetry needs from npm: npm ci");
  execFileSync("npm", ["ci"], { cwd: HERE, stdio: ["ignore", "inherit", "inherit"] });
}
await import("./lab/laboratory.mjs");
