// What a call is made of, and the numbers by which the core speaks of it.

import type { CircuitBreaker } from "./breaker.js";
import type { Rules } from "./rules.js";
import type { CallOptions, Circuit, CircuitState, EventName } from "./types.js";

/** What a call needs of its policy. */
export interface Setting {
  readonly rules: Rules;
  readonly breaker: CircuitBreaker | undefined;
  readonly circuit: Circuit | undefined;
  readonly hooks: CallOptions | undefined;
  readonly observed: boolean;
  /** Whether calls without options can be driven by the quick driver. */
  readonly plain: boolean;
}

/** The event that ends a call for each reason. */
export const EVENTS: readonly EventName[] = [
  "max_attempts_exceeded",
  "max_attempts_exceeded",
  "deadline_exceeded",
  "max_unknown_attempts_exceeded",
  "permanent_fail",
  "no_strategy_configured",
  "budget_exhausted",
  "scheduled",
  "aborted",
  "circuit_rejected",
];
export const DEADLINE_EXCEEDED = 2;
export const SCHEDULED = 7;
export const ABORTED = 8;
export const CIRCUIT_OPEN = 9;
export const BUDGET_EXHAUSTED = 6;
/** The answer of the core that the deadline has passed. */
export const DEADLINE = -1 - DEADLINE_EXCEEDED;
/** The answer that the breaker has opened since the call began. */
export const OPENED = -1 - CIRCUIT_OPEN;
/** The answer of the core that a delay does not fit; the whole of it is `tooLong`. */
export const TOO_LONG = -100;
/** How an attempt failed, for the core. */
export const BY_ERROR = 0;
export const BY_VALUE = 1;
export const BY_CUT = 2;
/** What the core says of a call with its address, which is a multiple of 8: its success counts, and the breaker has become half-open. */
export const SUCCESS_COUNTS = 1;
export const HALF_OPENED = 2;
export const FLAGS = 7;

export const circuitEvent = (state: CircuitState): EventName => (state === "open" ? "circuit_opened" : `circuit_${state}`);
