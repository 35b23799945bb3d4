// The words that everything shares.

/** The kind of a failure, which decides what it deserves. */
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
  readonly class: ErrorClass;
  /** How long the other side asked to stay away, in milliseconds, 0 and up; Infinity is as long as can be. */
  readonly retryAfterMs?: number | undefined;
  /** A word for logs. */
  readonly detail?: string | undefined;
}

/** Why a call stopped without a success. */
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

/** The names of events, as dashboards know them. */
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
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
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

/** Says what a thrown value is. */
export type Classifier = (error: unknown) => Verdict;

/** Says whether a returned value is a failure after all; null for a success. */
export type ResultClassifier = (value: any) => Verdict;

/** One event of a call. Fields that are not known are absent. */
export interface PolicyEvent {
  readonly event: EventName;
  /** The attempt it is about, from 1; 0 for a breaker's events. */
  readonly attempt: number;
  /** The delay that follows, in milliseconds; 0 for none. */
  readonly sleepMs: number;
  /** Since the call began. */
  readonly elapsedMs: number;
  readonly class?: ErrorClass;
  readonly cause?: Cause;
  readonly stopReason?: StopReason;
  readonly state?: CircuitState;
  readonly operation?: string;
  /** The name of the error. */
  readonly err?: string;
  readonly retryAfterMs?: number;
  readonly detail?: string;
}

/** The tags of a metric: few values each. */
export interface Tags {
  class?: ErrorClass;
  cause?: Cause;
  stopReason?: StopReason;
  state?: CircuitState;
  operation?: string;
  err?: string;
}

/** What an attempt is told. */
export interface Attempt {
  /** Its number, from 1. */
  readonly attempt: number;
  /** What was left of the deadline when it started; null without one. */
  readonly remainingMs: number | null;
  /** Aborted with the caller's signal, and when the attempt's time or the deadline is over. Made when first read. */
  readonly signal: Signal;
  readonly operation: string | undefined;
}

/** What a strategy may look at. */
export interface BackoffContext {
  /** The number of the attempt that failed, from 1. */
  readonly attempt: number;
  readonly class: ErrorClass;
  readonly cause: Cause;
  /** The delay before this attempt; 0 for the first one. */
  readonly previousSleepMs: number;
  /** What is left of the deadline; null without one. */
  readonly remainingMs: number | null;
  readonly retryAfterMs: number | undefined;
}

/** What the hooks of attempts are told. */
export interface AttemptInfo {
  readonly attempt: number;
  readonly operation: string | undefined;
  readonly elapsedMs: number;
}

/** How an attempt ended. */
export interface AttemptEnd extends AttemptInfo {
  readonly decision: "success" | "retry" | "raise" | "scheduled" | "aborted";
  readonly sleepMs: number;
  readonly class?: ErrorClass;
  readonly cause?: Cause;
  readonly error?: unknown;
  readonly result?: unknown;
}

/** What a sleep handler answers. */
export type SleepDecision = "sleep" | "defer" | "abort";

/** What the attempt before left: what it threw, the value that was a failure, or that its time was over. */
export type LastFailure =
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "timeout"; readonly error: unknown };

/** What listens to a call: of a policy, or of one call alone. Its errors change nothing. */
export interface Hooks {
  onEvent?: ((event: PolicyEvent) => unknown) | undefined;
  onMetric?: ((event: EventName, attempt: number, sleepMs: number, tags: Tags) => unknown) | undefined;
  onLog?: ((event: EventName, fields: Record<string, unknown>) => unknown) | undefined;
  onAttemptStart?: ((attempt: AttemptInfo) => unknown) | undefined;
  onAttemptEnd?: ((attempt: AttemptEnd) => unknown) | undefined;
  /** Hears what another hook threw; without it, the global `reportError` does. */
  onHookError?: ((error: unknown) => unknown) | undefined;
}

/** What may be given with one call. */
export interface CallOptions extends Hooks {
  /** A name for events. */
  operation?: string | undefined;
  /** Ends the call at once, with its own reason. */
  signal?: Signal | null | undefined;
  /** Asked before each attempt, after each failure and before each sleep. */
  abortIf?: (() => boolean) | undefined;
  /** The deadline of this call in place of the policy's, in milliseconds, 0 and up; null for none. */
  deadlineMs?: number | null | undefined;
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

/** How a call ended, whatever happened. */
export type Outcome<T> = Success<T> | Failure<T>;

/** What every outcome tells. */
interface Told {
  readonly attempts: number;
  readonly elapsedMs: number;
  readonly lastClass: ErrorClass | null;
  readonly cause: Cause | null;
  readonly timeline?: readonly PolicyEvent[];
}

export interface Success<T> extends Told {
  readonly ok: true;
  readonly value: T;
  readonly stopReason: null;
  readonly nextSleepMs: null;
}

export interface Failure<T> extends Told {
  readonly ok: false;
  /** What `call` throws. */
  readonly error: unknown;
  readonly stopReason: StopReason | null;
  readonly lastError: unknown;
  readonly lastResult: T | undefined;
  /** After how long to come back, if it was deferred, or if the delay did not fit before the deadline. */
  readonly nextSleepMs: number | null;
}

/** The answer of a breaker that is asked. */
export type Admission<P = unknown> =
  | { readonly ok: true; readonly permit: P; readonly halfOpened: boolean }
  | {
      readonly ok: false;
      readonly state: CircuitState;
      /** How long to stay away, in milliseconds; undefined if that is not known, as of an isolated breaker. */
      readonly retryAfterMs?: number | undefined;
    };

/** How a call ended for its breaker: a success, nothing, or a failure of a class. */
export type CallResult = "success" | "cancelled" | ErrorClass;

/** A breaker of your own: it may answer later, except in `callSync`. */
export interface Circuit<P = unknown> {
  readonly state?: CircuitState;
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
