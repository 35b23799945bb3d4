// The adapters of the npm package with their real peers, on real servers. Closes with `N passed, M failed`.
//
//   node run.mjs [--only axios,fastify,types] [--filter TEXT] [--tarball FILE | --built]
//
// --built packs what wasm/dist holds, in place of building it first.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
if (!existsSync(join(HERE, "node_modules", ".package-lock.json"))) {
  console.log("what the adapters need from npm: npm ci");
  execFileSync("npm", ["ci"], { cwd: HERE, stdio: ["ignore", "inherit", "inherit"] });
}
await import("./lab/laboratory.mjs");
