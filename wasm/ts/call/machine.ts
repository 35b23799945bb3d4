// One call as a state machine: each step returns what to do next. The core decides, hooks are notified, and a
// scheduler (asynchronous.ts, synchronous.ts, steps.ts) carries it out. Nothing here waits.

import { hint } from "../backoff/strategy.js";
import { refuse, show } from "../config/issues.js";
import { AbortRetryError, CircuitOpenError, RetryExhaustedError } from "../errors.js";
import { rejected, stateOf } from "../policy/breaker.js";
import type {
  Admission,
  BackoffContext,
  CallOptions,
  CallResult,
  Cause,
  CircuitState,
  Classification,
  ErrorClass,
  LastFailure,
  ResultClassifier,
  SleepDecision,
  StopReason,
} from "../types.js";
import { table } from "../wasm/core.js";
import { ERROR_CLASSES, STATES, STOP_EVENTS, STOP_REASONS } from "../wasm/modules/names.js";
import { AttemptContext } from "./attempt.js";
import {
  ABORTED,
  BUDGET_EXHAUSTED,
  BY_CUT,
  BY_ERROR,
  BY_VALUE,
  CIRCUIT_OPEN,
  DEADLINE_EXCEEDED,
  FIRST_REASON,
  RETRY,
  SCHEDULED,
  type Setting,
  TOO_LONG,
} from "./codes.js";
import { isThenable } from "./hooks.js";
import { ObservedCall } from "./observed-call.js";
import { asksToStop, cancellation, rejection } from "./thrown.js";

/** What a scheduler does next. */
export type Action = typeof READY | typeof RUN | typeof WAIT | typeof ASK | typeof DONE;
/** An attempt may start: `start`. */
export const READY = 0;
/** Run the operation with `current`, then say `succeeded`, `failed` or `timedOut`. */
export const RUN = 1;
/** Wait for `sleepMs` milliseconds, then say `waited`. */
export const WAIT = 2;
/** Wait for `answer`, which a callback has returned, then say `answered` or `refused`. */
export const ASK = 3;
/** The call is over: `outcome`. */
export const DONE = 4;

/** Which callback is asked, by its number in `CALLBACKS`. */
const ADMISSION = 0;
const GRANT = 1;
const DEFERRAL = 2;
const SLEEP_HOOK = 3;
const RETRY_HOOK = 4;
const RESULT = 5;
const ERROR_CLASS = 6;
const VALUE_CLASS = 7;
const CALLBACKS = [
  "circuitBreaker.admit",
  "budget.consume",
  "budget.consume",
  "beforeSleep",
  "beforeRetry",
  "circuitBreaker.settle",
  "classifier",
  "resultClassifier",
];

const UNKNOWN: Classification = { class: "UNKNOWN" };

/** The answer of a callback whose time is over. */
export const LATE = Symbol("late");

/** What a scheduler needs of the machine. */
export interface Scheduling {
  /** The outcome is asked for, with the time that a success took. */
  readonly timed: boolean;
  /** It waits for callbacks that answer later, and ends attempts at their limit. */
  readonly waits: boolean;
}

/** A call from its beginning to its outcome. */
// Methods are private to the compiler alone: those that are so to the engine cost each call as much as all else here.
export class Machine<T> extends ObservedCall<T> {
  private permit: { readonly permit: unknown } | undefined;
  /** Whether the latest failure is that its time was over. */
  private isCut = false;
  private question = ADMISSION;
  /** When the attempt ended whose class is asked for. */
  private ended: number | undefined;
  /** The attempt to run. */
  current!: AttemptContext;
  /** The delay that was decided, in milliseconds. */
  sleepMs = 0;
  /** What a callback has returned that answers later. */
  answer: unknown;
  /** Whether an attempt has a limit, at which the scheduler ends it. */
  isLimited = false;
  /** Whether the time of a success matters. */
  private readonly timed: boolean;
  /** Whether the scheduler waits for callbacks that answer later. */
  private readonly waits: boolean;

  constructor(setting: Setting, options: CallOptions | undefined, { timed, waits }: Scheduling) {
    super(setting, options);
    this.timed = timed;
    this.waits = waits;
  }

  /** How long the attempt may take from its start on, as the scheduler sees to; Infinity without a limit. */
  limit(): number {
    return this.isLimited ? this.timeout() : Infinity;
  }

  /** Begins the call. */
  begin(): Action {
    const { circuit } = this.setting;
    // The caller's word comes before that of a breaker.
    if (this.options.signal?.aborted) {
      this.started = this.rules.clock();
      return this.abort();
    }
    return circuit === undefined ? this.begins() : this.ask(ADMISSION, circuit.admit());
  }

  private begins(): Action {
    if (!this.accepted()) return this.reject(rejected());
    const { pool } = this.rules;
    if (pool?.deposit) this.ignored(pool.deposit());
    if (this.halfOpened) this.emitState("half_open");
    // Every attempt has the time of the deadline, if there is one.
    this.isLimited = this.waits && this.timeout() < Infinity;
    const { resume } = this.options;
    if (resume) {
      this.resumed(resume, this.deadline);
      return READY;
    }
    this.sleepMs = this.rules.initialDelayMs;
    return this.sleepMs > 0 ? WAIT : READY;
  }

  /** A breaker of the user's own has answered. */
  private admitted(admission: Admission): Action {
    if (!admission.ok) return this.reject(admission);
    this.permit = admission;
    const action = this.begins();
    if (admission.halfOpened) this.emitState("half_open");
    return action;
  }

  /** What no one waits for: only its error counts. */
  private ignored(returned: unknown): void {
    if (isThenable(returned)) returned.then(undefined, (error: unknown) => this.report(error));
  }

  private reject({ state, retryAfterMs }: { state: CircuitState; retryAfterMs?: number | undefined }): Action {
    this.emitRejection(state);
    this.thrown =
      this.options.stackTrace === true ? new CircuitOpenError({ state, retryAfterMs }) : rejection(state, retryAfterMs);
    return DONE;
  }

  /** Asks a callback; what it returns at once is its answer. */
  private ask(question: number, returned: unknown): Action {
    this.question = question;
    if (!isThenable(returned)) return this.answered(returned);
    this.answer = returned;
    return ASK;
  }

  /** The callback that is asked. */
  get asked(): string {
    return CALLBACKS[this.question]!;
  }

  /** How long to wait for the answer; Infinity without a limit. When it is over, the answer is "late". */
  answerLimit(): number {
    return this.question === RETRY_HOOK || this.question >= ERROR_CLASS ? this.rest() : Infinity;
  }

  /** The callback has answered. */
  answered(answer: unknown): Action {
    switch (this.question) {
      case ADMISSION:
        return this.admitted(answer as Admission);
      case GRANT:
        return answer === true ? this.choose(true) : this.stop(BUDGET_EXHAUSTED, true);
      case DEFERRAL:
        return answer === true ? this.stop(SCHEDULED, false) : this.stop(BUDGET_EXHAUSTED, true);
      case SLEEP_HOOK:
        return WAIT;
      case RETRY_HOOK:
        return this.prepared(answer);
      case ERROR_CLASS:
        if (answer === LATE) return this.late("exception");
        return this.fail(this.classificationOf(answer), "exception", BY_ERROR);
      case VALUE_CLASS:
        if (answer === LATE) return this.late("result");
        return answer === null || answer === undefined
          ? this.succeed(this.result as T)
          : this.failedByValue(this.result as T, this.classificationOf(answer));
      default:
        if (answer && this.observed) this.emitState(answer as CircuitState);
        return DONE;
    }
  }

  /** The callback has failed, which is reported; a breaker that does not admit ends the call with its error. */
  refused(error: unknown): Action {
    if (this.question === ADMISSION) throw error;
    this.report(error);
    return this.answered(this.question >= ERROR_CLASS ? UNKNOWN : undefined);
  }

  /** The caller has aborted what the scheduler was doing. */
  interrupted(): Action {
    const { circuit } = this.setting;
    if (this.over && circuit !== undefined) {
      // A permit that comes late goes back.
      const late = async (): Promise<unknown> => {
        const admission = (await this.answer) as Admission;
        return admission.ok && circuit.settle(admission.permit, "cancelled");
      };
      late().catch(() => {});
      this.started = this.rules.clock();
    }
    return this.abort();
  }

  /** Whether the caller wants no more of it. */
  private isAborted(): boolean {
    const { signal, abortIf } = this.options;
    if (signal?.aborted) return true;
    if (abortIf === undefined) return false;
    try {
      const answer: unknown = abortIf();
      if (isThenable(answer)) {
        this.ignored(answer);
        throw new TypeError("abortIf: it returned a promise, and is not waited for: answer true or false");
      }
      return answer === true;
    } catch (error) {
      this.report(error);
      return false;
    }
  }

  /** Starts an attempt, unless the caller has aborted or a breaker that is asked again has opened. */
  start(): Action {
    if (this.isAborted()) return this.abort();
    if (!this.admits()) return this.stop(CIRCUIT_OPEN, false);
    this.attempt += 1;
    this.emitStart();
    this.current = new AttemptContext(this);
    return RUN;
  }

  /** The attempt has returned a value, which may be a failure. */
  succeeded(value: T): Action {
    const { resultClassifier = this.rules.resultClassifier } = this.setting;
    if (resultClassifier === undefined) return this.succeed(value);
    this.result = value;
    return this.classify(VALUE_CLASS, resultClassifier, value);
  }

  private classify(question: number, classifier: ResultClassifier, failure: unknown): Action {
    // What a classifier takes is no time of the attempt.
    if (question === ERROR_CLASS || this.rules.timed) this.ended = this.rules.clock();
    let verdict: unknown = UNKNOWN;
    try {
      verdict = classifier(failure, this.current);
    } catch (error) {
      this.report(error);
    }
    return this.ask(question, verdict);
  }

  /** The classification of a verdict: UNKNOWN where there is none. */
  private classificationOf(verdict: unknown): Classification {
    const said = typeof verdict === "string" ? { class: verdict } : verdict;
    if (said === null || said === undefined) return UNKNOWN;
    if (ERROR_CLASSES.includes((said as Classification).class)) return said as Classification;
    this.report(new TypeError(`classifier: ${show(verdict)} is no class and no classification`));
    return UNKNOWN;
  }

  /** The deadline has passed while a class was asked for. */
  private late(cause: Cause): Action {
    this.ended = undefined;
    return this.fail({ class: "TRANSIENT" }, cause, BY_CUT);
  }

  /** The attempt has succeeded, and with it the call. */
  succeed(value: T): Action {
    this.ended = undefined;
    const state = this.endWithSuccess(this.timed || this.observed);
    this.ok = true;
    this.value = value;
    if (this.observed) {
      this.emitEnd("success", 0, { result: value });
      this.emit(this.event("success"));
    }
    if (state !== 0) this.emitState(STATES[state - 1]!);
    return this.permit === undefined ? DONE : this.settle("success");
  }

  /** The attempt has thrown. */
  failed(error: unknown): Action {
    if (asksToStop(error)) return this.abort({ error });
    this.error = error;
    this.result = undefined;
    const cancelled = this.rules.classifiesAborts ? undefined : cancellation(error);
    if (cancelled === "abort") return this.abort(this.isAborted() ? undefined : { error });
    if (cancelled === "timeout") return this.fail({ class: "TRANSIENT" }, "exception", BY_ERROR);
    return this.classify(ERROR_CLASS, this.rules.classifier, error);
  }

  /** The attempt has thrown what is a failure of a class that is known. */
  failedByError(error: unknown, classification: Classification): Action {
    this.error = error;
    this.result = undefined;
    return this.fail(classification, "exception", BY_ERROR);
  }

  /** The attempt has returned a value that is a failure. */
  failedByValue(value: T, classification: Classification): Action {
    this.error = undefined;
    this.result = value;
    return this.fail(classification, "result", BY_VALUE);
  }

  /** The attempt's time, or that of the call, was over before it settled. */
  timedOut(error: unknown): Action {
    this.error = error;
    this.result = undefined;
    return this.fail({ class: "TRANSIENT" }, "exception", BY_CUT);
  }

  private fail(classification: Classification, cause: Cause, how: number): Action {
    const { rules } = this;
    this.now = this.ended ?? rules.clock();
    this.ended = undefined;
    this.isCut = how === BY_CUT;
    if (this.isAborted()) return this.abort();
    this.class = classification.class;
    this.cause = cause;
    this.retryAfter = hint(classification.retryAfterMs);
    this.detail = classification.detail;
    const decided = this.decided(ERROR_CLASSES.indexOf(classification.class), how, this.retryAfter ?? NaN);
    const answers = table();
    if (rules.timed) this.reclassify(ERROR_CLASSES[answers[2]!]!);
    this.sleepMs = answers[0]!;
    const opened = stateOf(answers[1]!);
    if (opened !== null) this.emitState(opened);
    if (decided === TOO_LONG) return this.choose(false);
    if (decided !== RETRY) return this.stop(decided - FIRST_REASON, true);
    return this.rules.pool === undefined ? this.choose(true) : this.consume(GRANT);
  }

  /** Asks a budget of the user's own for a token. */
  private consume(question: typeof GRANT | typeof DEFERRAL): Action {
    let returned: unknown;
    try {
      returned = this.rules.pool!.consume(1);
    } catch (error) {
      this.report(error);
    }
    return this.ask(question, returned);
  }

  /** The class that a failure has for the core, which is another one if the attempt was late. */
  private reclassify(counted: ErrorClass): void {
    if (counted === this.class) return;
    this.class = counted;
    this.retryAfter = this.detail = undefined;
  }

  /** A retry is decided, whose delay may not fit before the deadline: the caller may still abort or defer it. */
  private choose(fits: boolean): Action {
    const delay = this.sleepMs;
    if (fits && this.observed) {
      const event = this.failure("retry", delay, true);
      if (this.retryAfter !== undefined) event.retryAfterMs = this.retryAfter;
      this.emit(event);
    }
    const decision = this.isAborted() ? "abort" : this.sleepDecision(delay);
    if (decision === "abort") return this.abort();
    if (decision === "defer") return this.deferRetry(!fits);
    if (!fits) return this.stop(DEADLINE_EXCEEDED, true);
    if (this.observed) this.emitEnd("retry", delay);
    this.inFlight = false;
    const returned = delay > 0 ? this.beforeSleep(delay) : undefined;
    if (this.waits) return this.ask(SLEEP_HOOK, returned);
    this.ignored(returned);
    return WAIT;
  }

  /** What the sleep handler makes of a delay. */
  private sleepDecision(delay: number): SleepDecision {
    const { sleep } = this.options;
    return sleep === undefined ? "sleep" : checkedDecision("sleep", sleep(this.context(delay), delay));
  }

  /** Defers the retry that was decided; a delay that does not fit takes its token now. */
  private deferRetry(takes: boolean): Action {
    const reason = this.defer();
    if (reason === SCHEDULED && takes && this.rules.pool !== undefined) return this.consume(DEFERRAL);
    return this.stop(reason, reason !== SCHEDULED);
  }

  /** The retry that was decided, and is waited for, is deferred or aborted after all. */
  onSleepDecision(decision: SleepDecision): Action {
    if (decision === "sleep") return WAIT;
    return decision === "defer" ? this.deferRetry(false) : this.abort();
  }

  /** What `beforeSleep` returns, if there is such a hook; it has not failed yet. */
  private beforeSleep(delay: number): unknown {
    const { beforeSleep } = this.options;
    if (beforeSleep === undefined) return undefined;
    try {
      return beforeSleep(this.context(delay), delay);
    } catch (error) {
      this.report(error);
      return undefined;
    }
  }

  /** The delay is over. */
  waited(): Action {
    if (!this.wake()) return this.stop(DEADLINE_EXCEEDED, false);
    if (this.attempt === 0) return this.delayed();
    return this.options.beforeRetry === undefined ? READY : this.ask(RETRY_HOOK, this.beforeRetry(this.sleepMs));
  }

  /** The delay before the first attempt is over. */
  private delayed(): Action {
    const elapsedMs = this.now - this.started;
    this.resumed({ attempts: 0, previousSleepMs: 0, elapsedMs, remainingMs: this.remainingNow() }, NaN);
    return READY;
  }

  private prepared(answer: unknown): Action {
    const isInTime = this.wake() && answer !== LATE;
    if (answer === "abort") return this.abort();
    return isInTime ? READY : this.stop(DEADLINE_EXCEEDED, false);
  }

  /** What `beforeRetry` returns after a delay, if there is such a hook. */
  private beforeRetry(delay: number): unknown {
    const { error } = this;
    const last: LastFailure =
      this.cause === "result"
        ? { kind: "value", value: this.result }
        : { kind: this.isCut ? "timeout" : "error", error };
    try {
      return this.options.beforeRetry!(this.context(delay), last);
    } catch (bug) {
      this.report(bug);
      return undefined;
    }
  }

  /** What a strategy or a handler may look at. */
  context(previousSleepMs: number): BackoffContext {
    const remaining = this.remainingNow();
    return {
      attempt: this.attempt,
      class: this.class!,
      cause: this.cause!,
      previousSleepMs,
      remainingMs: remaining,
      retryAfterMs: this.retryAfter,
      error: this.error,
      result: this.result,
    };
  }

  private remainingNow(): number | null {
    const remaining = this.rest();
    return remaining === Infinity ? null : remaining;
  }

  /** Ends the call for a reason by its number; its event has the error while it is `fresh`. */
  private stop(number: number, fresh: boolean, thrown?: { readonly error: unknown }): Action {
    const reason = (this.reason = STOP_REASONS[number]!);
    const aborted = number === ABORTED;
    const scheduled = number === SCHEDULED;
    if (scheduled) this.resume = this.deferred();
    const ended = this.close(number);
    const delay = scheduled ? (this.nextSleep ?? 0) : 0;
    if (this.observed) {
      if (this.inFlight) {
        this.emitEnd(aborted ? "aborted" : scheduled ? "scheduled" : "raise", delay, aborted ? {} : undefined);
      }
      const name = STOP_EVENTS[number]!;
      const event = aborted ? this.event(name) : this.failure(name, delay, fresh);
      event.stopReason = reason;
      if (number === CIRCUIT_OPEN) event.state = "open";
      this.emit(event);
    }
    const state = stateOf(ended & 3);
    if (state !== null) this.emitState(state);
    this.thrown = thrown === undefined ? this.errorOf(reason) : thrown.error;
    return this.settle(ERROR_CLASSES[(ended >> 2) - 1] ?? "cancelled");
  }

  /** The caller, a handler or the operation itself wants no more of it. */
  abort(thrown?: { readonly error: unknown }): Action {
    const { signal } = this.options;
    const error = thrown === undefined && signal?.aborted ? { error: signal.reason as unknown } : thrown;
    this.now = this.rules.clock();
    return this.stop(ABORTED, false, error ?? { error: this.abortError() });
  }

  private abortError(): AbortRetryError {
    const cause = this.error;
    return new AbortRetryError("the call was aborted", cause === undefined ? undefined : { cause });
  }

  /** Cancels the call: it counts as nothing, and no event says so. */
  cancel(): void {
    this.close(ABORTED);
    if (this.settle("cancelled") === ASK)
      (this.answer as PromiseLike<unknown>).then(undefined, (error: unknown) => this.report(error));
  }

  /** Gives the permit of a breaker of the user's own back, once. */
  private settle(result: CallResult): Action {
    const { circuit } = this.setting;
    const permit = this.permit;
    this.permit = undefined;
    if (circuit === undefined || permit === undefined) return DONE;
    let returned: unknown;
    try {
      returned = circuit.settle(permit.permit, result);
    } catch (error) {
      this.report(error);
    }
    return this.ask(RESULT, returned);
  }

  /** Ends the call in the core; the breaker's new state and what is counted, as it answers. */
  private close(reason: number): number {
    const [ended, next] = this.endForReason(reason);
    if (!Number.isNaN(next)) this.nextSleep = next;
    return ended;
  }

  /** What the call throws when it stops for a reason. */
  private errorOf(reason: StopReason): unknown {
    if (reason !== "SCHEDULED" && this.cause === "exception") return this.error;
    return new RetryExhaustedError({
      stopReason: reason,
      attempts: this.attempt,
      lastClass: this.class,
      lastResult: this.result,
      nextSleepMs: this.nextSleep,
      ...(this.cause === "exception" ? { cause: this.error } : {}),
    });
  }
}

/** The answer of a sleep handler. */
export function checkedDecision(who: string, decision: unknown): SleepDecision {
  if (decision === "sleep" || decision === "defer" || decision === "abort") return decision;
  return refuse(who, decision, '"sleep", "defer" or "abort"');
}
