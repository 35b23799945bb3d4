// The steps of a call that may end it, for which the package throws.

import type { Call, StartedAttempt } from "redress";

/** Starts an attempt; null if the call is over: its deadline has passed, or its breaker has opened. */
export function started(call: Call): StartedAttempt | null {
  return unlessOver(call, () => call.start());
}

/** Ends a delay; whether the call goes on. */
export function woken(call: Call): boolean {
  return unlessOver(call, () => (call.onWake(), true)) ?? false;
}

function unlessOver<T>(call: Call, step: () => T): T | null {
  try {
    return step();
  } catch (error) {
    if (call.outcome === undefined) throw error;
    return null;
  }
}
