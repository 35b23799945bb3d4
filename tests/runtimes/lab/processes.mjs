// What only a process of its own can show: whether a pending delay keeps it alive, and what its collector frees.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandOf, run } from "./runtimes/process.mjs";

const delayed = (ms, unref) => `
import { RetryPolicy, backoff } from "redress";
const policy = new RetryPolicy({ strategy: backoff.constant(${ms}), unref: ${unref}, deadlineMs: null });
let attempts = 0;
policy.call(() => {
  attempts += 1;
  if (attempts === 1) throw Object.assign(new Error("busy"), { status: 503 });
});
process.on("exit", () => console.log("attempts", attempts));
`;

const HANGING = `
import { RetryPolicy, backoff } from "redress";
const policy = new RetryPolicy({ strategy: backoff.constant(0), unref: true });
policy.call(() => new Promise(() => {}));
policy.execute(() => new Promise(() => {}));
process.on("exit", () => console.log("ended"));
`;

const FORGOTTEN = `
import { CircuitBreaker, Policy, begin } from "redress";
let now = 0;
const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 1, leaseMs: 1e9, clock: () => now });
const policy = new Policy({ circuitBreaker });
circuitBreaker.settle(circuitBreaker.admit().permit, "TRANSIENT");
now = 1;
(() => begin(policy).start())();
let rejected = 0;
for (;;) {
  try {
    begin(policy).cancel();
    break;
  } catch {
    rejected += 1;
    globalThis.gc();
    // What is collected is told between turns.
    await new Promise(setImmediate);
  }
}
console.log(rejected > 0 ? "rejected, then free" : "free");
`;

/** Each: the name, the program, the flags of Node, and all that it prints. */
const TABLE = [
  ["a pending delay keeps Node alive, and the retry is made", delayed(30, false), [], "attempts 2"],
  ["unref: true lets Node end while a delay is pending", delayed(3_600_000, true), [], "attempts 1"],
  ["unref: true lets Node end while an attempt is in flight, too", HANGING, [], "ended"],
  [
    "a call that is walked and forgotten is cancelled when it is collected",
    FORGOTTEN,
    ["--expose-gc"],
    "rejected, then free",
  ],
];

/** Runs each program on both versions of Node. */
export async function checkProcesses({ project }) {
  const results = [];
  for (const [n, [name, program, flags, printed]] of TABLE.entries()) {
    const file = join(project, `process-${n}.mjs`);
    writeFileSync(file, program);
    for (const runtime of ["node-20", "node-24"]) {
      const { code, stdout, stderr } = await run([...commandOf(runtime), ...flags, file], {
        cwd: project,
        limitMs: 20_000,
      });
      const right = code === 0 && stdout.trim() === printed;
      results.push({ name: `${name}, on ${runtime}`, error: right ? null : `exit code ${code}\n${stdout}${stderr}` });
    }
  }
  return results;
}
