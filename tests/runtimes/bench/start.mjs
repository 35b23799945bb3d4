// What the start of a program costs: the import, the first construction of a policy with retry, breaker and budget, and
// memory, beside cockatiel's equivalent; a table of tests/bench/FIGURES.md. Fresh processes of Node 24, taking turns.
//
//   node tests/runtimes/bench/start.mjs [--tarball FILE] [--processes 15]

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { consumer, HERE, pack } from "../lab/consumer.mjs";
import { median } from "./measure.mjs";

const { values } = parseArgs({
  options: { tarball: { type: "string" }, processes: { type: "string", default: "15" } },
});

/** A program that imports and constructs, and prints what each took, and its memory. */
const program = (name, construct) => `
const started = performance.now();
const library = await import(${JSON.stringify(name)});
const imported = performance.now();
globalThis.all = construct(library);
const constructed = performance.now();
console.log(JSON.stringify([imported - started, constructed - imported, process.memoryUsage.rss()]));
function construct(library) {${construct}}
`;

const PROGRAMS = {
  redress: program(
    "redress",
    `const { Budget, CircuitBreaker, Policy, backoff } = library;
  return new Policy({
    circuitBreaker: new CircuitBreaker({ failureThreshold: 5, recoveryTimeoutMs: 30_000 }),
    retry: { maxAttempts: 4, strategy: backoff.decorrelatedJitter(), budget: new Budget({ ratio: 0.1 }) },
  });`,
  ),
  // It has no budget.
  cockatiel: program(
    "cockatiel",
    `const { ConsecutiveBreaker, ExponentialBackoff, circuitBreaker, handleAll, retry, wrap } = library;
  return wrap(
    retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
    circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) }),
  );`,
  ),
  nothing: program("node:process", "return library;"),
};

const shelf = mkdtempSync(join(tmpdir(), "redress-tarball-"));
const project = consumer(values.tarball ?? pack(shelf));
cpSync(join(HERE, "node_modules", "cockatiel"), join(project, "node_modules", "cockatiel"), { recursive: true });
for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(project, `${name}.mjs`), text);

const node = join(HERE, "node_modules", "node-24", "bin", "node");
const runs = Object.fromEntries(Object.keys(PROGRAMS).map((name) => [name, []]));
// The first of each reads its files from the disk.
for (let n = -1; n < Number(values.processes); n += 1) {
  for (const [name, results] of Object.entries(runs)) {
    const printed = execFileSync(node, [`${name}.mjs`], { cwd: project, encoding: "utf8" });
    if (n >= 0) results.push(JSON.parse(printed));
  }
}
for (const folder of [project, shelf]) rmSync(folder, { recursive: true, force: true });

const ROWS = {
  "import, ms": ([imported]) => imported,
  "first construction, ms": ([, constructed]) => constructed,
  "both, ms": ([imported, constructed]) => imported + constructed,
  "memory above an empty process, MB": ([, , bytes]) => bytes / 1e6,
};
console.log("| Node 24, median of fresh processes | redress | cockatiel | ratio |\n| --- | ---: | ---: | ---: |");
for (const [what, of] of Object.entries(ROWS)) {
  const [own, peer, empty] = ["redress", "cockatiel", "nothing"].map((name) => median(runs[name].map(of)));
  const above = what.startsWith("memory") ? empty : 0;
  const [mine, theirs] = [own - above, peer - above];
  console.log(`| ${what} | ${mine.toFixed(1)} | ${theirs.toFixed(1)} | ${(mine / theirs).toFixed(2)} |`);
}
