import type { CircuitState, ErrorClass, EventName, StopReason } from "../../types.js";

// The core's names, printed at build, each at its number.
export const ERROR_CLASSES: readonly ErrorClass[];
export const STOP_REASONS: readonly StopReason[];
export const STATES: readonly CircuitState[];
/** The event that ends a call, by the number of its reason. */
export const STOP_EVENTS: readonly EventName[];
/** The event of a breaker, by the number of its new state. */
export const STATE_EVENTS: readonly EventName[];
/** What is wrong with a snapshot: another kind, other settings, a wrong checksum, a value out of range. */
export const SNAPSHOT_ERRORS: readonly string[];
