// Clients that contend for one row under optimistic locking: the model of "Exponential Backoff And Jitter" by Marc Brooker,
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, as its simulator has it
// (https://github.com/aws-samples/aws-arch-backoff-simulator), with the delays of the package.

import { begin, type Call } from "redress";
import { unguarded } from "../src/policy.js";
import { seeded } from "../src/random.js";
import type { Settings } from "../src/settings.js";
import { started, woken } from "../src/steps.js";
import { Timeline } from "../src/timeline.js";

/** What it takes until every client has written once. */
export interface Cost {
  /** Writes that reached the row. */
  readonly calls: number;
  readonly ms: number;
}

const STALE = new Error("the row has another version");

/** The mean of so many runs. */
export function contend(strategy: Settings, clients: number, runs: number): Cost {
  const costs = Array.from({ length: runs }, (_, seed) => once(strategy, clients, seed + 1));
  const mean = (of: (cost: Cost) => number) => costs.reduce((sum, cost) => sum + of(cost), 0) / runs;
  return { calls: mean(({ calls }) => calls), ms: mean(({ ms }) => ms) };
}

function once(strategy: Settings, clients: number, seed: number): Cost {
  const timeline = new Timeline();
  const random = seeded(seed);
  const limits = { maxAttempts: null, deadlineMs: null };
  const { policy } = unguarded({ retry: { ...limits, strategy } }, { clock: timeline.clock, random });
  // A message takes 10 ms, with a standard deviation of 2 ms, by the method of Box and Muller.
  const message = (run: () => void) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    timeline.after(Math.abs(10 + 2 * normal), run);
  };
  let version = 0;
  let calls = 0;
  const attempt = (call: Call) => {
    if (started(call) === null) throw new Error("there is neither a limit nor a breaker");
    message(() => {
      const read = version;
      message(() => message(() => written(call, read)));
    });
  };
  const written = (call: Call, read: number) => {
    calls += 1;
    const isFresh = read === version;
    if (isFresh) version += 1;
    message(() => {
      if (isFresh) return void call.succeed(undefined);
      const decision = call.fail(STALE, "CONCURRENCY");
      if (!decision.retry) throw new Error("there is no limit");
      timeline.after(decision.sleepMs, () => woken(call) && attempt(call));
    });
  };
  for (let client = 0; client < clients; client += 1) attempt(begin(policy));
  timeline.runUntil(Infinity, Infinity);
  if (version !== clients) throw new Error(`${version} of ${clients} clients have written`);
  return { calls, ms: timeline.nowMs };
}
