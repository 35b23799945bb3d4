// One command: installs what is missing, compiles, and runs the demo, a worker or the short form of the demo.
//
// The package is the tarball `redress.tgz` here; without one, that of ../../wasm, which is built if there is none either.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const WASM = join(HERE, "..", "..", "wasm");
const PROGRAMS = {
  demo: ["dist/demo/demo.js"],
  worker: ["dist/src/main.js"],
  test: ["dist/demo/demo.js", "--short"],
};

function run(command, words, cwd = HERE) {
  execFileSync(command, words, { cwd, stdio: "inherit" });
}

const packed = () => readdirSync(WASM).find((name) => /^redress-.*\.tgz$/.test(name));

const tarball = join(HERE, "redress.tgz");
if (!existsSync(tarball)) {
  if (packed() === undefined) {
    console.log("there is no tarball of redress: it is built, which needs Rust");
    for (const words of [["ci"], ["run", "build"], ["pack"]]) run("npm", words, WASM);
  }
  copyFileSync(join(WASM, packed()), tarball);
}
if (!existsSync(join(HERE, "node_modules", "redress"))) {
  run("npm", ["install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]);
}
run(process.execPath, [join("node_modules", "typescript", "bin", "tsc")]);
const [what, ...words] = process.argv.slice(2);
try {
  run(process.execPath, [...PROGRAMS[what], ...words]);
} catch (error) {
  // What it printed says why.
  process.exitCode = error.status ?? 1;
}
