// Installs and builds what is missing, and bundles the page: `npm run setup`. The package is that of ../../wasm.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const WASM = join(HERE, "..", "..", "wasm");

function npm(cwd, ...words) {
  console.log(`npm ${words.join(" ")}, in ${cwd}`);
  execFileSync("npm", words, { cwd, stdio: "inherit" });
}

if (!existsSync(join(WASM, "dist", "esm", "lint.js"))) {
  console.log("the npm package is not built yet: that takes a few minutes, and needs Rust");
  npm(WASM, "ci");
  npm(WASM, "run", "build");
}
if (!existsSync(join(HERE, "node_modules", "uplot"))) npm(HERE, "install", "--no-package-lock", "--loglevel=error");
const { build } = await import("./build.mjs");
console.log(`the page is in ${await build()}`);
