// Real clients fail for real, and what they throw is classified. Closes with `N passed, N failed, N skipped`.
//
//   node run.mjs [--only pg,ioredis] [--tarball FILE] [--write] [--verbose]
//
// Of the table, TABLE.md, a run of all clients fails if it differs; --write writes it. --verbose shows what each client throws.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
if (!existsSync(join(HERE, "node_modules", ".package-lock.json"))) {
  console.log("what the clients need from npm: npm ci");
  execFileSync("npm", ["ci"], { cwd: HERE, stdio: ["ignore", "inherit", "inherit"] });
}
await import("./lab/laboratory.mjs");
