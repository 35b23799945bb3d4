// What a call is made of, and the numbers by which the core speaks of it.

import type { CircuitBreaker } from "../policy/breaker.js";
import type { Rules } from "../policy/retry-options.js";
import type { CallOptions, Circuit, ResultClassifier } from "../types.js";

/** What a call needs of its policy. */
export interface Setting {
  readonly rules: Rules;
  readonly breaker: CircuitBreaker | undefined;
  readonly circuit: Circuit | undefined;
  readonly hooks: CallOptions | undefined;
  readonly observed: boolean;
  /** The key that the breaker is of, if it is one of many. */
  readonly key?: string;
  /** In place of the rules' own, if there is one. */
  readonly resultClassifier?: ResultClassifier | undefined;
}

export const DEADLINE_EXCEEDED = 2;
export const SCHEDULED = 7;
export const ABORTED = 8;
export const CIRCUIT_OPEN = 9;
export const BUDGET_EXHAUSTED = 6;
/** What the core decides about a failure: a retry, a delay that does not fit, or a reason to stop by its number from here on. */
export const RETRY = 0;
export const TOO_LONG = 1;
export const FIRST_REASON = 2;
/** How an attempt failed, for the core. */
export const BY_ERROR = 0;
export const BY_VALUE = 1;
export const BY_CUT = 2;
/** What the core says of a call with its address, which is a multiple of 8: its success counts, and the breaker has become half-open. */
export const SUCCESS_COUNTS = 1;
export const HALF_OPENED = 2;
export const FLAGS = 7;
