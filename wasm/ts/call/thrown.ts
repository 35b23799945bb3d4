// What is thrown: by a rejection, which must be cheap to make, and by operations, whose getters may do anything.

import { read, says } from "../classify/facts.js";
import { AbortRetryError, CircuitOpenError } from "../errors.js";
import type { CircuitState } from "../types.js";
import { ABORT_NAMES } from "../wasm/modules/platform.js";

/** The error of a rejection, without the stack trace that would cost more than all the rest. */
export function rejection(state: CircuitState, retryAfterMs: number | undefined): CircuitOpenError {
  const traced = Error as { stackTraceLimit?: number };
  const kept = traced.stackTraceLimit;
  if (typeof kept === "number") traced.stackTraceLimit = 0;
  try {
    return new CircuitOpenError({ state, retryAfterMs });
  } finally {
    if (typeof kept === "number") traced.stackTraceLimit = kept;
  }
}

/** The name of a thrown value, whatever its getters do. */
export function nameOf(error: unknown): string {
  const name = read(error, "name");
  return typeof name === "string" ? name : typeof error;
}

/** Whether a thrown value asks to stop, in whatever realm it was made. */
export function asksToStop(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  try {
    return error instanceof AbortRetryError || (error as { name?: unknown }).name === "AbortRetryError";
  } catch {
    return false;
  }
}

/**
 * What an error says of a cancellation that the call's own signal has not asked for: that the program cancelled
 * ("abort"), or that a time was over ("timeout"); undefined for any other error.
 */
export function cancellation(error: unknown): "abort" | "timeout" | undefined {
  const [name, type, code] = signsOf(error);
  // Most errors have the name of their type.
  const isNamed = says(name, ABORT_NAMES) || (type !== name && says(type, ABORT_NAMES));
  if (!isNamed && !says(code, ABORT_NAMES)) return undefined;
  const reasons = [read(error, "cause"), read(read(error, "signal"), "reason")];
  return reasons.some((reason) => read(reason, "name") === "TimeoutError") ? "timeout" : "abort";
}

/** By what an error may be known as a cancellation: its name, that of its type, and its code. */
function signsOf(error: unknown): readonly unknown[] {
  try {
    // By their names, as engines remember where an object has them.
    const { name, constructor: type, code } = error as Error & { code: unknown };
    return [name, type.name, code];
  } catch {
    return [read(error, "name"), read(read(error, "constructor"), "name"), read(error, "code")];
  }
}
