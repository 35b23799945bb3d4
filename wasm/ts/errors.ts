// The errors of the package: stable `name` and `code`, recognisable across realms.

import { BRAND, read } from "./facts.js";
import type { CircuitState, ErrorClass, StopReason } from "./types.js";

/** Stops a call when an operation throws it: nothing has failed, nothing is retried. */
export class AbortRetryError extends Error {
  override readonly name: string = "AbortRetryError";
  readonly code: string = "REDRESS_ABORTED";
}

/** The breaker rejected the call; the operation was not run. */
export class CircuitOpenError extends Error {
  override readonly name: string = "CircuitOpenError";
  readonly code: string = "REDRESS_CIRCUIT_OPEN";
  readonly state: CircuitState;
  readonly retryAfterMs: number;

  constructor(details: { state: CircuitState; retryAfterMs: number }) {
    super(`circuit is ${details.state}, next probe in ${details.retryAfterMs} ms`);
    this.state = details.state;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Retrying stopped, and there is no error of the operation to throw. */
export class RetryExhaustedError extends Error {
  override readonly name: string = "RetryExhaustedError";
  readonly code: string = "REDRESS_RETRY_EXHAUSTED";
  readonly stopReason: StopReason;
  readonly attempts: number;
  readonly lastClass: ErrorClass | null;
  readonly lastResult: unknown;
  readonly nextSleepMs: number | null;

  constructor(details: {
    stopReason: StopReason;
    attempts: number;
    lastClass: ErrorClass | null;
    lastResult?: unknown;
    nextSleepMs: number | null;
    cause?: unknown;
  }) {
    const { stopReason, attempts, cause } = details;
    super(`retrying stopped after ${attempts} attempts: ${stopReason}`, cause === undefined ? undefined : { cause });
    this.stopReason = stopReason;
    this.attempts = attempts;
    this.lastClass = details.lastClass;
    this.lastResult = details.lastResult;
    this.nextSleepMs = details.nextSleepMs;
  }
}

/** A conflict or a deadlock: class CONCURRENCY. */
export class ConcurrencyError extends Error {
  override readonly name: string = "ConcurrencyError";
  readonly code: string = "REDRESS_CONCURRENCY";
  /** @internal */
  readonly [BRAND]: string = "CONCURRENCY";
}

/** The request itself is wrong: class PERMANENT. */
export class PermanentError extends Error {
  override readonly name: string = "PermanentError";
  readonly code: string = "REDRESS_PERMANENT";
  /** @internal */
  readonly [BRAND]: string = "PERMANENT";
}

/** Too much at once: class RATE_LIMIT, with the time to stay away if it is known. */
export class RateLimitError extends Error {
  override readonly name: string = "RateLimitError";
  readonly code: string = "REDRESS_RATE_LIMIT";
  /** @internal */
  readonly [BRAND]: string = "RATE_LIMIT";
  readonly retryAfterMs: number | undefined;

  constructor(message?: string, options?: { cause?: unknown; retryAfterMs?: number }) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** The other side failed: class SERVER_ERROR. */
export class ServerError extends Error {
  override readonly name: string = "ServerError";
  readonly code: string = "REDRESS_SERVER_ERROR";
  /** @internal */
  readonly [BRAND]: string = "SERVER_ERROR";
}

/** Whether it is an error of this package, of whichever copy and realm. */
export function isRedressError(error: unknown): boolean {
  const code = read(error, "code");
  return typeof code === "string" && code.startsWith("REDRESS_");
}
