// What is thrown: by a rejection, which must be cheap to make, and by operations, whose getters may do anything.

import { AbortRetryError, CircuitOpenError } from "../errors.js";
import type { CircuitState } from "../types.js";

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
  try {
    const name = (error as { name?: unknown } | null | undefined)?.name;
    return typeof name === "string" ? name : typeof error;
  } catch {
    return typeof error;
  }
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
