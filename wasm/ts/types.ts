// The words that everything shares.

/**
 * The kind of a failure, which decides what it deserves.
 *
 * - `AUTH`, `PERMISSION`, `PERMANENT`: credentials, rights or the request itself are wrong; never retried, unless
 *   `retriable` says so
 * - `CONCURRENCY`: a conflict or a deadlock
 * - `RATE_LIMIT`: too many requests, often with a Retry-After
 * - `SERVER_ERROR`: the other side failed
 * - `TRANSIENT`: a connection failed, or the time was over
 * - `UNKNOWN`: nothing is known of it; retried `maxUnknownAttempts` times
 */
export type ErrorClass =
  | "AUTH"
  | "PERMISSION"
  | "PERMANENT"
  | "CONCURRENCY"
  | "RATE_LIMIT"
  | "SERVER_ERROR"
  | "TRANSIENT"
  | "UNKNOWN";

/** What a classifier says of a failure. */
export interface Classification {
  /** The class of the failure. */
  readonly class: ErrorClass;
  /** How long the other side asked to stay away, in milliseconds, 0 and up; Infinity is as long as can be. */
  readonly retryAfterMs?: number | undefined;
  /** A word for logs. */
  readonly detail?: string | undefined;
}

/**
 * Why a call stopped without a success.
 *
 * - `MAX_ATTEMPTS_GLOBAL`: `maxAttempts` were made
 * - `MAX_ATTEMPTS_PER_CLASS`: the limit of `perClassMaxAttempts` or `retriable` for the class is reached
 * - `DEADLINE_EXCEEDED`: the deadline has passed, or the next delay does not fit before it
 * - `MAX_UNKNOWN_ATTEMPTS`: `maxUnknownAttempts` failures of class UNKNOWN were retried
 * - `NON_RETRYABLE_CLASS`: the class is final: AUTH, PERMISSION or PERMANENT
 * - `NO_STRATEGY`: the class has no strategy, or a strategy of your own gave no delay
 * - `BUDGET_EXHAUSTED`: the budget granted no retry
 * - `SCHEDULED`: a `sleep` handler deferred the retry
 * - `ABORTED`: a signal, `abortIf`, a handler or an `AbortRetryError` ended the call
 * - `CIRCUIT_OPEN`: with `checkBeforeRetry`, the breaker opened before a further attempt; a call that it rejects at its
 *   beginning has no stop reason, and throws a `CircuitOpenError`
 */
export type StopReason =
  | "MAX_ATTEMPTS_GLOBAL"
  | "MAX_ATTEMPTS_PER_CLASS"
  | "DEADLINE_EXCEEDED"
  | "MAX_UNKNOWN_ATTEMPTS"
  | "NON_RETRYABLE_CLASS"
  | "NO_STRATEGY"
  | "BUDGET_EXHAUSTED"
  | "SCHEDULED"
  | "ABORTED"
  | "CIRCUIT_OPEN";

/** How an attempt failed: by what it threw, or by the value it returned. */
export type Cause = "exception" | "result";

/** The state of a breaker. */
export type CircuitState = "closed" | "open" | "half_open";

/**
 * The names of events, as dashboards know them.
 *
 * A call makes `retry` for each retry and ends with one of `success`, `permanent_fail` (a final class),
 * `deadline_exceeded`, `max_attempts_exceeded`, `max_unknown_attempts_exceeded`, `no_strategy_configured`,
 * `budget_exhausted`, `scheduled`, `aborted` and `circuit_rejected`. A breaker whose state changes makes
 * `circuit_opened`, `circuit_half_open` or `circuit_closed`.
 */
export type EventName =
  | "success"
  | "retry"
  | "permanent_fail"
  | "deadline_exceeded"
  | "max_attempts_exceeded"
  | "max_unknown_attempts_exceeded"
  | "no_strategy_configured"
  | "budget_exhausted"
  | "scheduled"
  | "aborted"
  | "circuit_opened"
  | "circuit_half_open"
  | "circuit_closed"
  | "circuit_rejected";

/** What the AbortSignal of this runtime has in common with all others. */
export interface SignalLike {
  /** Whether it is aborted. */
  readonly aborted: boolean;
  /** Why; undefined before it is aborted. */
  readonly reason: unknown;
  /** Calls `listener` once it is aborted. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Takes a listener back. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The AbortSignal of the consumer's type library, or what all of them have in common. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer T } } ? T : SignalLike;

/** The present in milliseconds, from any origin, never going back. */
export type Clock = () => number;

/** The next random number in [0, 1). */
export type Random = () => number;

/** Waits so many milliseconds; what it returns is awaited. */
export type Sleeper = (ms: number, signal?: Signal) => unknown;

/** What a classifier may answer: a class, more about it, or nothing of use (UNKNOWN). */
export type Verdict = ErrorClass | Classification | null | undefined;

/** Says what a thrown value is. A promise is awaited, for as long as the deadline lets it; not by `callSync` and `begin`. */
export type Classifier = (error: unknown, attempt: Attempt) => Verdict | PromiseLike<Verdict>;

/** Says whether a returned value is a failure after all; null for a success. A promise is awaited, as that of a `Classifier`. */
export type ResultClassifier<T = any> = (value: T, attempt: Attempt) => Verdict | PromiseLike<Verdict>;

/** One event of a call. Fields that are not known are absent. */
export interface PolicyEvent {
  /** What happened. */
  readonly event: EventName;
  /** The attempt it is about, from 1; 0 for a breaker's events. */
  readonly attempt: number;
  /** The delay that follows, in milliseconds; 0 for none. */
  readonly sleepMs: number;
  /** Since the call began, in milliseconds. */
  readonly elapsedMs: number;
  /** The class of the latest failure. */
  readonly class?: ErrorClass;
  /** How that attempt failed. */
  readonly cause?: Cause;
  /** Why the call stopped, in the event that ends it without a success. */
  readonly stopReason?: StopReason;
  /** The breaker's state, in its events and in `circuit_rejected`. */
  readonly state?: CircuitState;
  /** The name of the call; of a key's policy the key, unless the call has a name. */
  readonly operation?: string;
  /** The name of the error. */
  readonly err?: string;
  /** The error itself, where `err` is its name. It is not enumerable: JSON and copies of the event do not have it. */
  readonly error?: unknown;
  /** How long the other side asked to stay away, in milliseconds, in a `retry`. */
  readonly retryAfterMs?: number;
  /** The classifier's word for logs. */
  readonly detail?: string;
}

/** The tags of a metric: few values each. */
export interface Tags {
  /** The class of the latest failure. */
  class?: ErrorClass;
  /** How that attempt failed. */
  cause?: Cause;
  /** Why the call stopped without a success. */
  stopReason?: StopReason;
  /** The breaker's state, in its events and in `circuit_rejected`. */
  state?: CircuitState;
  /** The name of the call. */
  operation?: string;
  /** The name of the error. */
  err?: string;
}

/** What an operation gets for an attempt. */
export interface Attempt {
  /** Its number, from 1. */
  readonly attempt: number;
  /** What was left of the deadline when it started, in milliseconds; null without one. */
  readonly remainingMs: number | null;
  /** Aborted with the caller's signal, and when the attempt's time or the deadline is over. Made when first read. */
  readonly signal: Signal;
  /** The name of the call, if it has one. */
  readonly operation: string | undefined;
}

/** What a strategy may look at. */
export interface BackoffContext {
  /** The number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** The class of its failure. */
  readonly class: ErrorClass;
  /** Whether it threw, or returned a value that is a failure. */
  readonly cause: Cause;
  /** The delay before this attempt, in milliseconds; 0 for the first one. */
  readonly previousSleepMs: number;
  /** What is left of the deadline, in milliseconds; null without one. */
  readonly remainingMs: number | null;
  /** How long the other side asked to stay away, in milliseconds; undefined if it did not. */
  readonly retryAfterMs: number | undefined;
  /** What it threw; undefined if it returned a value that is a failure. */
  readonly error: unknown;
  /** The value that is a failure; undefined if it threw. */
  readonly result: unknown;
}

/** What the hook of an attempt's start gets. */
export interface AttemptInfo {
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** The name of the call, if it has one. */
  readonly operation: string | undefined;
  /** Since the call began, in milliseconds. */
  readonly elapsedMs: number;
}

/** How an attempt ended. */
export interface AttemptEnd extends AttemptInfo {
  /** What follows: a success, another attempt, the failure for the caller, a deferred retry, or an aborted call. */
  readonly decision: "success" | "retry" | "raise" | "scheduled" | "aborted";
  /** The delay that follows, in milliseconds; 0 for none. */
  readonly sleepMs: number;
  /** The class of the failure; absent after a success. */
  readonly class?: ErrorClass;
  /** How it failed; absent after a success. */
  readonly cause?: Cause;
  /** What it threw. */
  readonly error?: unknown;
  /** What it returned, also if that is a failure. */
  readonly result?: unknown;
}

/** What a sleep handler answers: wait for the delay, end the call with SCHEDULED, or end it with ABORTED. */
export type SleepDecision = "sleep" | "defer" | "abort";

/** What the attempt before left: what it threw, the value that was a failure, or that its time was over. */
export type LastFailure =
  | {
      /** It threw. */
      readonly kind: "error";
      /** What it threw. */
      readonly error: unknown;
    }
  | {
      /** It returned a value that was a failure. */
      readonly kind: "value";
      /** That value. */
      readonly value: unknown;
    }
  | {
      /** Its time was over. */
      readonly kind: "timeout";
      /** The TimeoutError that its signal was aborted with. */
      readonly error: unknown;
    };

/** What listens to a call: of a policy, or of one call alone. Its errors change nothing. */
export interface Hooks {
  /** Gets every event of a call. */
  onEvent?: ((event: PolicyEvent) => unknown) | undefined;
  /** Gets every event as a metric: its name, the attempt, the delay in milliseconds, and tags of few values. */
  onMetric?: ((event: EventName, attempt: number, sleepMs: number, tags: Tags) => unknown) | undefined;
  /** Gets every event as a line for a log: its name and its fields. */
  onLog?: ((event: EventName, fields: Record<string, unknown>) => unknown) | undefined;
  /** Runs before each attempt. */
  onAttemptStart?: ((attempt: AttemptInfo) => unknown) | undefined;
  /** Runs after each attempt, once it is decided what follows. */
  onAttemptEnd?: ((attempt: AttemptEnd) => unknown) | undefined;
  /** Gets what another hook threw. Without it that goes to `reportError` in a page, and to `console.error` elsewhere. */
  onHookError?: ((error: unknown) => unknown) | undefined;
}

/** The options of one call. */
export interface CallOptions extends Hooks {
  /** A name for events. */
  operation?: string | undefined;
  /** Ends the call at once, with its own reason. */
  signal?: Signal | null | undefined;
  /** Asked before each attempt, after each failure and before each sleep. */
  abortIf?: (() => boolean) | undefined;
  /** The deadline of this call in place of the policy's, in milliseconds, 0 and up; null for none. */
  deadlineMs?: number | null | undefined;
  /** Goes on with a call that was deferred: attempts, failures and the time count on. With `deadlineMs` it gets that deadline anew. */
  resume?: Resume | null | undefined;
  /** Chooses what to do with a delay, also with one that does not fit before the deadline, of which it gets the whole. */
  sleep?: ((context: BackoffContext, sleepMs: number) => SleepDecision) | undefined;
  /** Runs before an actual sleep, and is awaited. */
  beforeSleep?: ((context: BackoffContext, sleepMs: number) => unknown) | undefined;
  /**
   * Runs after each delay, before the next attempt, and is awaited until the deadline: to renew a token or a
   * connection. "abort" ends the call; what it throws is reported, and the attempt is made all the same.
   */
  beforeRetry?: ((context: BackoffContext, last: LastFailure) => unknown) | undefined;
  /** Sleeps in place of a timer. */
  sleeper?: Sleeper | undefined;
  /** Keeps every event in the outcome. */
  captureTimeline?: boolean | undefined;
  /** Gives the error of a rejection a stack trace, which costs more than the rejection; false by default. */
  stackTrace?: boolean | undefined;
}

/** What a deferred call has behind it, as plain data: it goes on elsewhere with `execute(operation, { resume })`. */
export interface Resume {
  /** How many attempts were made, 1 to 4,294,967,295. */
  readonly attempts: number;
  /** How many of them failed, by class, 0 to 65,535; 0 for those that are absent. */
  readonly failures?: { readonly [K in ErrorClass]?: number } | undefined;
  /** The delay for which the call was deferred, in milliseconds, 0 and up. */
  readonly previousSleepMs: number;
  /** How long the call has taken, that delay included, in milliseconds, 0 and up. */
  readonly elapsedMs: number;
  /**
   * What is left of the deadline after the delay, in milliseconds, 0 and up; null without one. A delay that did not fit
   * leaves all that was left before it. How long a queue takes beyond the delay is not counted.
   */
  readonly remainingMs: number | null;
}

/**
 * What runs operations: a policy of any kind, that of a key, a context, or a fake of `redress/testing`. What takes a policy
 * only to call it should take this, so that a test can give it a fake.
 */
export interface PolicyLike {
  /** Runs `operation` until it succeeds or the policy stops it; throws what it threw last. */
  call<T>(operation: (attempt: Attempt) => T, options?: CallOptions): Promise<Awaited<T>>;
  /** The same, with everything there is to know of it. */
  execute<T>(operation: (attempt: Attempt) => T, options?: CallOptions): Promise<Outcome<Awaited<T>>>;
}

/** How a call ended, whatever happened. */
export type Outcome<T> = Success<T> | Failure<T>;

/** What every outcome has. */
interface Told {
  /** How many attempts were made; 0 if the breaker rejected the call. */
  readonly attempts: number;
  /** From the beginning to the end of the call, delays included, in milliseconds. */
  readonly elapsedMs: number;
  /** The class of the latest failure; null without one. */
  readonly lastClass: ErrorClass | null;
  /** How the latest failed attempt failed; null without one. */
  readonly cause: Cause | null;
  /** Every event of the call, with `captureTimeline`. */
  readonly timeline?: readonly PolicyEvent[];
}

/** The outcome of a call that succeeded. */
export interface Success<T> extends Told {
  /** Tells a success from a failure. */
  readonly ok: true;
  /** What the operation returned last. */
  readonly value: T;
  /** Null: nothing stopped it. */
  readonly stopReason: null;
  /** Null: there is nothing to come back for. */
  readonly nextSleepMs: null;
}

/** The outcome of a call that did not succeed. */
export interface Failure<T> extends Told {
  /** Tells a failure from a success. */
  readonly ok: false;
  /** What `call` throws. */
  readonly error: unknown;
  /** Why it stopped; null if the breaker rejected the call at its beginning. */
  readonly stopReason: StopReason | null;
  /** What the latest failed attempt threw; undefined if it returned a value that was a failure. */
  readonly lastError: unknown;
  /** The value that was a failure; undefined if the latest failed attempt threw. */
  readonly lastResult: T | undefined;
  /** After how many milliseconds to come back, if it was deferred, or if the delay did not fit before the deadline; else null. */
  readonly nextSleepMs: number | null;
  /** With which the call goes on after that, if it was deferred; else null. */
  readonly resume: Resume | null;
}

/** The answer of a breaker that is asked. */
export type Admission<P = unknown> =
  | {
      /** The call may run. */
      readonly ok: true;
      /** What `settle` takes back. */
      readonly permit: P;
      /** Whether the breaker has become half-open by this call, which is its first probe. */
      readonly halfOpened: boolean;
    }
  | {
      /** The call is rejected. */
      readonly ok: false;
      /** The state that rejects it. */
      readonly state: CircuitState;
      /** How long to stay away, in milliseconds; undefined if that is not known, as of an isolated breaker. */
      readonly retryAfterMs?: number | undefined;
    };

/** How a call ended for its breaker: a success, nothing, or a failure of a class. */
export type CallResult = "success" | "cancelled" | ErrorClass;

/** A breaker of your own: it may answer later, except in `callSync`. */
export interface Circuit<P = unknown> {
  /** Its state, for the program itself. */
  readonly state?: CircuitState;
  /** Asks for a call, before its first attempt. */
  admit(): Admission<P> | PromiseLike<Admission<P>>;
  /** Takes the permit back; the new state, or null if it stayed the same. */
  settle(permit: P, result: CallResult): CircuitState | null | undefined | PromiseLike<CircuitState | null | undefined>;
}

/** A budget of your own: it may answer later, except in `callSync`. */
export interface Pool {
  /** A call begins. */
  deposit?(): unknown;
  /** Takes one retry; whether it was there. */
  consume(cost?: number): boolean | PromiseLike<boolean>;
}
