// Programs that use more and more of the package.

/** A program that keeps these names of `redress`. */
const program = (...used) => `import { ${used.join(", ")} } from "redress"; globalThis.all = [${used.join(", ")}];`;

const FOUR = ["Policy", "CircuitBreaker", "Budget", "callSync", "context"];
const named = (...names) =>
  `import { ${names.join(", ")} } from "redress/classify"; globalThis.classes = [${names.join(", ")}];`;
const jitter = `import { decorrelatedJitter } from "redress/backoff"; globalThis.jitter = decorrelatedJitter;`;

/** What each is called in the table of wasm/README.md, and its source. */
export const PROGRAMS = {
  "retries alone": jitter + program("RetryPolicy"),
  "policy, retry, breaker, budget": jitter + program(...FOUR),
  "the same and `http` of `redress/classify`": jitter + named("http") + program(...FOUR),
  "the four and `sqlstate`, `odbc`, `grpc`, `aws` or `redis`":
    jitter + named("sqlstate", "odbc", "grpc", "aws", "redis") + program(...FOUR),
  "the four and snapshots, windows of a rate, or both":
    jitter + program(...FOUR, "snapshot", "restore", "rateOfCalls", "rateOverTime"),
  "everything of `redress`": `import * as all from "redress"; globalThis.all = all;`,
};
