// Runs conformance vectors of the schema in tests/vectors/README.md on the npm package.
//
//   node wasm/test/conformance.mjs FILE..
//
// Builds what is missing. Prints every failure, the digest of all engine scenarios, and the
// counts. Exits with 1 if something failed, with 2 if a file cannot be read.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: node wasm/test/conformance.mjs FILE..");
  process.exit(2);
}
const cases = [];
for (const file of files) {
  try {
    const read = JSON.parse(readFileSync(file, "utf8"));
    if (!Array.isArray(read)) throw new TypeError("not a JSON array of cases");
    cases.push(...read);
  } catch (error) {
    console.error(`error: ${file}: ${error.message}`);
    process.exit(2);
  }
}

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const npm = (...words) => execFileSync("npm", words, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
if (!existsSync(join(folder, "dist", "esm", "index.js"))) {
  if (!existsSync(join(folder, "node_modules"))) npm("ci", "--no-audit", "--no-fund");
  npm("run", "build");
}
const { runClassifiers, runEngine } = await import("./vectors.js");

const engine = await runEngine(cases.filter((entry) => entry.classifier === undefined));
const classifiers = runClassifiers(cases.filter((entry) => entry.classifier !== undefined));
for (const failure of [...engine.failures, ...classifiers.failures]) console.log(`FAILED ${failure}`);
const sum = (name) => engine[name] + classifiers[name];
if (sum("skipped") > 0) {
  console.log(`skipped ${engine.skipped} scenarios that deviate on purpose`);
  console.log(
    `skipped ${classifiers.skipped} cases that deviate on purpose, or of errors that JavaScript does not have`,
  );
}
console.log(`digest ${engine.digest}`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
process.exitCode = sum("failed") === 0 && sum("passed") > 0 ? 0 : 1;
