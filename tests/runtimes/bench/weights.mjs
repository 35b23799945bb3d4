// What programs weigh that use more and more of the package: the table of wasm/README.md.
//
//   node tests/runtimes/bench/weights.mjs [--tarball FILE]

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { consumer, pack } from "../lab/consumer.mjs";
import { bundle } from "./sizes.mjs";

const { values } = parseArgs({ options: { tarball: { type: "string" } } });
const shelf = mkdtempSync(join(tmpdir(), "redress-tarball-"));
const project = consumer(values.tarball ?? pack(shelf));

/** A program that keeps these names of `redress`. */
const program = (...used) => `import { ${used.join(", ")} } from "redress"; globalThis.all = [${used.join(", ")}];`;

const FOUR = ["Policy", "CircuitBreaker", "Budget", "callSync", "context"];
const named = (...names) =>
  `import { ${names.join(", ")} } from "redress/classify"; globalThis.classes = [${names.join(", ")}];`;
const jitter = `import { decorrelatedJitter } from "redress/backoff"; globalThis.jitter = decorrelatedJitter;`;

const PROGRAMS = {
  "retries alone": jitter + program("RetryPolicy"),
  "policy, retry, breaker, budget": jitter + program(...FOUR),
  "the same and `http` of `redress/classify`": jitter + named("http") + program(...FOUR),
  "the four and `sqlstate`, `odbc`, `grpc`, `aws` or `redis`":
    jitter + named("sqlstate", "odbc", "grpc", "aws", "redis") + program(...FOUR),
  "the four and snapshots, windows of a rate, or both":
    jitter + program(...FOUR, "snapshot", "restore", "rateOfCalls", "rateOverTime"),
  "everything of `redress`": `import * as all from "redress"; globalThis.all = all;`,
};

const kilobytes = ({ js, wasm }) => `${((js + wasm) / 1000).toFixed(1)} KB`;
console.log("| a program that uses | wasm inlined | as a file |\n| --- | ---: | ---: |");
for (const [name, contents] of Object.entries(PROGRAMS)) {
  const inlined = await bundle(contents, project, ["browser"]);
  const file = await bundle(contents, project, ["workerd", "worker"]);
  console.log(`| ${name} | ${kilobytes(inlined)} | ${kilobytes(file)} |`);
}
for (const folder of [project, shelf]) rmSync(folder, { recursive: true, force: true });
