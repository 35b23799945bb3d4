// The errors of the package: stable `name` and `code`, recognisable across realms.

import { BRAND, read } from "./classify/facts.js";
import type { CircuitState, ErrorClass, StopReason } from "./types.js";

/** Keeps what is known of the call that threw an error of this package; false for other errors. @internal */
export let keep: (error: object, call: unknown) => boolean;
/** What was kept. @internal */
export let kept: (error: object) => unknown;

/** Adds the message to what JSON shows of an error, and its cause by name, message and code. */
abstract class RedressError extends Error {
  /** The class that it says it is of. @internal */
  declare readonly [BRAND]?: string;
  // Here and not in a map: rejections are cheap.
  #call: unknown;

  static {
    keep = (error, call) => {
      const isOwn = #call in error;
      if (isOwn) error.#call = call;
      return isOwn;
    };
    kept = (error) => (#call in error ? error.#call : undefined);
  }

  /** An error with the class that it says it is of, if it has one. */
  constructor(message?: string, options?: ErrorOptions, brand?: ErrorClass) {
    super(message, options);
    if (brand !== undefined) (this as { [BRAND]?: string })[BRAND] = brand;
  }

  /** Its own fields and its message as plain data; what an operation returned is left out. */
  toJSON(): Record<string, unknown> {
    const { lastResult: _, ...fields } = { ...this } as Record<string, unknown>;
    const told: Record<string, unknown> = { ...fields, message: this.message };
    if (this.cause !== undefined) told["cause"] = causeOf(this.cause);
    return told;
  }
}

/** What of a cause is sure to be plain data. */
function causeOf(cause: unknown): unknown {
  if (typeof cause !== "object" || cause === null) return typeof cause === "string" ? cause : String(cause);
  const told: Record<string, unknown> = {};
  for (const key of ["name", "message", "code", "status"]) {
    const value = read(cause, key);
    if (typeof value === "string" || typeof value === "number") told[key] = value;
  }
  return told;
}

/** Stops a call when an operation throws it: nothing has failed, nothing is retried. */
export class AbortRetryError extends RedressError {
  /** `"AbortRetryError"`. */
  override readonly name: string = "AbortRetryError";
  /** `"REDRESS_ABORTED"`, the same in every copy of the package. */
  readonly code: string = "REDRESS_ABORTED";
}

/**
 * An attempt took longer than its policy lets it: what its signal is aborted with, and what the call throws if it was the
 * last. By its class it is told from a time-out of the operation's own, which has the same name.
 */
export class AttemptTimeoutError extends RedressError {
  /** `"TimeoutError"`, as that of `AbortSignal.timeout`. */
  override readonly name: string = "TimeoutError";
  /** `"REDRESS_ATTEMPT_TIMEOUT"`, the same in every copy of the package. */
  readonly code: string = "REDRESS_ATTEMPT_TIMEOUT";
  /** How long the attempt could take, by `attemptTimeoutMs` or the deadline, in milliseconds. */
  readonly timeoutMs: number;

  /** For policies of your own and their tests. */
  constructor(timeoutMs: number) {
    super(`the attempt took longer than ${timeoutMs} ms`, undefined, "TRANSIENT");
    this.timeoutMs = timeoutMs;
  }
}

/** The breaker rejected the call; the operation was not run. */
export class CircuitOpenError extends RedressError {
  /** `"CircuitOpenError"`. */
  declare readonly name: string;
  /** `"REDRESS_CIRCUIT_OPEN"`, the same in every copy of the package. */
  declare readonly code: string;
  /** The state that rejected the call: open, or half-open with all probes under way. */
  readonly state: CircuitState;
  /** How long to stay away, in milliseconds; undefined if that is not known, as of an isolated breaker. */
  readonly retryAfterMs: number | undefined;

  /** For breakers of your own and their tests. */
  constructor(details: {
    /** The state that rejected the call. */
    state: CircuitState;
    /** How long to stay away, in milliseconds; undefined or Infinity if that is not known. */
    retryAfterMs?: number | undefined;
  }) {
    const { state, retryAfterMs = Infinity } = details;
    const isKnown = retryAfterMs < Infinity;
    // Whole milliseconds: a number with digits after the point is slow to write.
    super(
      `circuit is ${state}, next probe ${isKnown ? `in ${Math.ceil(retryAfterMs)} ms` : "at a time that is not known"}`,
    );
    // Here and not as fields of the class: this error is made for every rejection.
    this.name = "CircuitOpenError";
    this.code = "REDRESS_CIRCUIT_OPEN";
    this.state = state;
    this.retryAfterMs = isKnown ? retryAfterMs : undefined;
  }
}

/** Retrying stopped, and there is no error of the operation to throw. */
export class RetryExhaustedError extends RedressError {
  /** `"RetryExhaustedError"`. */
  override readonly name: string = "RetryExhaustedError";
  /** `"REDRESS_RETRY_EXHAUSTED"`, the same in every copy of the package. */
  readonly code: string = "REDRESS_RETRY_EXHAUSTED";
  /** Why retrying stopped. */
  readonly stopReason: StopReason;
  /** How many attempts were made. */
  readonly attempts: number;
  /** The class of the latest failure; null without one. */
  readonly lastClass: ErrorClass | null;
  /** The value that was a failure; undefined if there was none. */
  readonly lastResult: unknown;
  /** After how many milliseconds to come back, if the call was deferred or the delay did not fit; else null. */
  readonly nextSleepMs: number | null;

  /** For policies of your own and their tests. */
  constructor(details: {
    /** Why retrying stopped. */
    stopReason: StopReason;
    /** How many attempts were made. */
    attempts: number;
    /** The class of the latest failure; null without one. */
    lastClass: ErrorClass | null;
    /** The value that was a failure. */
    lastResult?: unknown;
    /** After how many milliseconds to come back; null for never. */
    nextSleepMs: number | null;
    /** The error before this one. */
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
export class ConcurrencyError extends RedressError {
  /** `"ConcurrencyError"`. */
  override readonly name: string = "ConcurrencyError";
  /** `"REDRESS_CONCURRENCY"`, the same in every copy of the package. */
  readonly code: string = "REDRESS_CONCURRENCY";

  /** An error of class CONCURRENCY, for operations to throw. */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options, "CONCURRENCY");
  }
}

/** The request itself is wrong: class PERMANENT. */
export class PermanentError extends RedressError {
  /** `"PermanentError"`. */
  override readonly name: string = "PermanentError";
  /** `"REDRESS_PERMANENT"`, the same in every copy of the package. */
  readonly code: string = "REDRESS_PERMANENT";

  /** An error of class PERMANENT, for operations to throw. */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options, "PERMANENT");
  }
}

/** Too much at once: class RATE_LIMIT, with the time to stay away if it is known. */
export class RateLimitError extends RedressError {
  /** `"RateLimitError"`. */
  override readonly name: string = "RateLimitError";
  /** `"REDRESS_RATE_LIMIT"`, the same in every copy of the package. */
  readonly code: string = "REDRESS_RATE_LIMIT";
  /** How long to stay away, in milliseconds, 0 and up; undefined if that is not known. */
  readonly retryAfterMs: number | undefined;

  /** An error of class RATE_LIMIT, for operations to throw. */
  constructor(
    message?: string,
    options?: {
      /** The error before this one. */
      cause?: unknown;
      /** How long to stay away, in milliseconds, 0 and up. */
      retryAfterMs?: number;
    },
  ) {
    super(message, options, "RATE_LIMIT");
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** The other side failed: class SERVER_ERROR. */
export class ServerError extends RedressError {
  /** `"ServerError"`. */
  override readonly name: string = "ServerError";
  /** `"REDRESS_SERVER_ERROR"`, the same in every copy of the package. */
  readonly code: string = "REDRESS_SERVER_ERROR";

  /** An error of class SERVER_ERROR, for operations to throw. */
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options, "SERVER_ERROR");
  }
}

/** Whether it is an error of this package, of whichever copy and realm. */
export function isRedressError(error: unknown): boolean {
  const code = read(error, "code");
  return typeof code === "string" && code.startsWith("REDRESS_");
}
