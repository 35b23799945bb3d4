// The delays of a policy after each failed attempt, over many seeds.

import { begin, type Classification, type StopReason } from "redress";
import { unguarded } from "./policy.js";
import { seeded } from "./random.js";
import type { Settings } from "./settings.js";
import { started, woken } from "./steps.js";

/** How many calls are made, each with a seed of its own. */
export const SEEDS = 200;
/** The most retries that are shown. */
const MOST_RETRIES = 40;

/** What the delays before a retry are, in milliseconds. */
export interface Spread {
  /** In how many of the calls this retry was made. */
  readonly calls: number;
  readonly min: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
  readonly max: number;
}

export interface Delays {
  /** Of each retry, from the first. */
  readonly retries: readonly Spread[];
  /** Why most calls stop; undefined if they go on beyond what is shown. */
  readonly stop: StopReason | undefined;
}

/** Calls of which every attempt fails at once, in this way. */
export function delaysOf(settings: Settings, failure: Classification): Delays {
  let nowMs = 0;
  let random = seeded(0);
  const { policy } = unguarded(settings, { clock: () => nowMs, random: () => random() });
  const delays: number[][] = [];
  const stops = new Map<StopReason, number>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    random = seeded(seed);
    const call = begin(policy);
    for (let nth = 0; nth < MOST_RETRIES && started(call); nth += 1) {
      const decision = call.fail(FAILURE, failure);
      if (!decision.retry) break;
      nowMs += decision.sleepMs;
      (delays[nth] ??= []).push(decision.sleepMs);
      if (!woken(call)) break;
    }
    const stop = call.outcome?.stopReason;
    if (stop) stops.set(stop, (stops.get(stop) ?? 0) + 1);
    call.cancel();
  }
  const [most] = [...stops].sort(([, a], [, b]) => b - a);
  return { retries: delays.map(spread), stop: most?.[0] };
}

const FAILURE = new Error("down");

function spread(delays: number[]): Spread {
  const sorted = Float64Array.from(delays).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { calls: sorted.length, min: at(0), low: at(0.1), median: at(0.5), high: at(0.9), max: at(1) };
}
