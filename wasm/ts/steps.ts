// One call, step by step: the core decides, the hooks hear, and the drivers wait. Nothing here waits.

import { AttemptContext } from "./attempt.js";
import { rejected, stateOf } from "./breaker.js";
import { ABORTED, BY_CUT, BY_ERROR, BY_VALUE, CIRCUIT_OPEN, EVENTS, SCHEDULED, type Setting, TOO_LONG, circuitEvent } from "./codes.js";
import { checkedDelay, hint } from "./strategy.js";
import { table } from "./core.js";
import { AbortRetryError, CircuitOpenError, RetryExhaustedError } from "./errors.js";
import { isThenable, report, tell, tellEnd, tellStart } from "./hooks.js";
import { KeptCall } from "./kept.js";
import { show } from "./options.js";
import { nameOf, rejection } from "./thrown.js";
import {
  type Admission,
  type AttemptEnd,
  type BackoffContext,
  type CallOptions,
  type CallResult,
  type Cause,
  type Circuit,
  type CircuitState,
  type Classification,
  ERROR_CLASSES,
  type ErrorClass,
  type EventName,
  type Hooks,
  type LastFailure,
  type Outcome,
  type PolicyEvent,
  type SleepDecision,
  STATES,
  STOP_REASONS,
  type StopReason,
  type Verdict,
} from "./types.js";

const NO_OPTIONS: CallOptions = {};

export class Steps<T> extends KeptCall {
  readonly options: CallOptions;
  readonly #listeners: readonly Hooks[];
  readonly #observed: boolean;
  readonly #timeline: PolicyEvent[] | undefined;
  #permit: { readonly permit: unknown } | undefined;
  /** The latest failure. */
  #class: ErrorClass | null = null;
  #cause: Cause | null = null;
  #result: T | undefined;
  #retryAfter: number | undefined;
  #detail: string | undefined;
  /** Whether the latest failure is that its time was over. */
  #isCut = false;
  /** An attempt has started, and hooks have not got its end yet. */
  #inFlight = false;
  /** The delay that does not fit. */
  tooLong = 0;
  /** Whether the driver ends an attempt in flight. */
  ends = false;
  #nextSleep: number | null = null;
  /** What a breaker said that is not closed. */
  rejection: CircuitOpenError | undefined;
  /** What the call of a driver throws in the end. */
  #outcome: Outcome<T> | undefined;

  constructor(setting: Setting, options: CallOptions | undefined, listens: boolean) {
    const { hooks, observed } = setting;
    const deadlineMs = options?.deadlineMs;
    super(setting, deadlineMs === undefined ? NaN : (deadlineMs ?? Infinity));
    this.options = hooks === undefined ? (options ?? NO_OPTIONS) : { ...hooks, ...options };
    this.#listeners = hooks === undefined ? [this.options] : options === undefined ? [hooks] : [hooks, options];
    this.#observed = observed || listens;
    this.#timeline = this.options.captureTimeline === true ? [] : undefined;
  }

  /** Begins the call; false if the breaker rejects it. */
  begin(): boolean {
    if (!this.accepted()) {
      this.#reject(rejected());
      return false;
    }
    const { pool } = this.rules;
    if (pool?.deposit) this.deposited(pool.deposit());
    if (this.halfOpened) this.#circuit("half_open");
    return true;
  }

  /** Begins a call that a breaker of one's own has answered. */
  admitted(admission: Admission): boolean {
    if (!admission.ok) {
      this.#reject(admission);
      return false;
    }
    this.#permit = admission;
    this.begin();
    if (admission.halfOpened) this.#circuit("half_open");
    return true;
  }

  private deposited(returned: unknown): void {
    if (isThenable(returned)) returned.then(undefined, (error: unknown) => report(this.#listeners, error));
  }

  #reject({ state, retryAfterMs }: { state: CircuitState; retryAfterMs?: number | undefined }): void {
    if (this.#observed) this.#tell({ ...this.#event("circuit_rejected"), attempt: 0, state });
    this.rejection = this.options.stackTrace === true ? new CircuitOpenError({ state, retryAfterMs }) : rejection(state, retryAfterMs);
  }

  /** Whether the caller wants no more of it. */
  aborted(): boolean {
    const { signal, abortIf } = this.options;
    if (signal?.aborted) return true;
    if (abortIf === undefined) return false;
    try {
      return abortIf() === true;
    } catch (error) {
      report(this.#listeners, error);
      return false;
    }
  }

  /** Starts an attempt, which `admits` has let through. */
  start(): AttemptContext {
    this.attempt += 1;
    this.#inFlight = true;
    if (this.#observed) {
      const { operation } = this.options;
      tellStart(this.#listeners, { attempt: this.attempt, operation, elapsedMs: this.#elapsed() });
    }
    return new AttemptContext(this);
  }

  /** What a value is: null for a success. */
  ofValue(value: T): Classification | null {
    const { resultClassifier } = this.rules;
    if (resultClassifier === undefined) return null;
    let verdict: Verdict;
    try {
      verdict = resultClassifier(value);
    } catch (error) {
      report(this.#listeners, error);
      return { class: "UNKNOWN" };
    }
    return verdict === null || verdict === undefined ? null : this.#verdict(verdict);
  }

  #ofError(error: unknown): Classification {
    try {
      return this.#verdict(this.rules.classifier(error));
    } catch (bug) {
      report(this.#listeners, bug);
      return { class: "UNKNOWN" };
    }
  }

  #verdict(verdict: Verdict): Classification {
    const said = typeof verdict === "string" ? { class: verdict } : verdict;
    if (said === null || said === undefined) return { class: "UNKNOWN" };
    if (ERROR_CLASSES.includes(said.class)) return said;
    report(this.#listeners, new TypeError(`classifier: ${show(verdict)} is no class and no classification`));
    return { class: "UNKNOWN" };
  }

  /** The attempt succeeded, and with it the call. */
  succeed(value: T, told: boolean): CallResult {
    const gone = this.succeeded(told || this.#observed);
    if (this.#observed) {
      this.#end("success", 0, { result: value });
      this.#tell(this.#event("success"));
      if (gone !== 0) this.#circuit(STATES[gone - 1]!);
    }
    if (told || this.#permit !== undefined) {
      this.#outcome = {
        ok: true,
        value,
        attempts: this.attempt,
        elapsedMs: this.#elapsed(),
        lastClass: this.#class,
        cause: this.#cause,
        stopReason: null,
        nextSleepMs: null,
        ...this.#told(),
      };
    }
    return "success";
  }

  /** The attempt threw; the delay, or below 0 why the call stops. */
  failBy(error: unknown): number {
    this.error = error;
    this.#result = undefined;
    return this.#fail(this.#ofError(error), "exception", BY_ERROR);
  }

  /** The attempt returned a value that is a failure. */
  failByValue(value: T, classification: Classification): number {
    this.error = undefined;
    this.#result = value;
    return this.#fail(classification, "result", BY_VALUE);
  }

  /** The attempt's time, or that of the call, was over before it settled. */
  timedOut(error: unknown): number {
    this.error = error;
    this.#result = undefined;
    return this.#fail({ class: "TRANSIENT" }, "exception", BY_CUT);
  }

  #fail(classification: Classification, cause: Cause, how: number): number {
    const { rules, breaker } = this.setting;
    this.now = rules.clock();
    this.#isCut = how === BY_CUT;
    if (this.aborted()) return -1 - ABORTED;
    this.#class = classification.class;
    this.#cause = cause;
    this.#retryAfter = hint(classification.retryAfterMs);
    this.#detail = classification.detail;
    const decided = this.decided(ERROR_CLASSES.indexOf(classification.class), how, this.#retryAfter ?? NaN);
    if (rules.timed) this.#late(ERROR_CLASSES[this.counted]!);
    if (decided !== TOO_LONG && breaker === undefined) return decided;
    const told = table();
    this.tooLong = told[0]!;
    const opened = stateOf(told[1]!);
    if (opened !== null) this.#circuit(opened);
    return decided;
  }

  /** The class that a failure has for the core, which is another one if the attempt was late. */
  #late(counted: ErrorClass): void {
    if (counted === this.#class) return;
    this.#class = counted;
    this.#retryAfter = this.#detail = undefined;
  }

  /** Tells of the retry that was decided. */
  retries(delay: number): void {
    if (!this.#observed) return;
    const event: Mutable<PolicyEvent> = { ...this.#event("retry"), sleepMs: delay, ...this.#failure(true) };
    if (this.#retryAfter !== undefined) event.retryAfterMs = this.#retryAfter;
    this.#tell(event);
  }

  /** What the sleep handler makes of the delay. */
  choose(delay: number): SleepDecision {
    const { sleep } = this.options;
    if (sleep === undefined) return "sleep";
    const decision: unknown = sleep(this.context(delay), delay);
    if (decision === "sleep" || decision === "defer" || decision === "abort") return decision;
    throw new TypeError(`sleep: ${show(decision)} is not "sleep", "defer" or "abort"`);
  }

  /** The delay is accepted. */
  sleeps(delay: number): void {
    if (this.#observed) this.#end("retry", delay, this.#last());
    this.#inFlight = false;
  }

  /** What `beforeSleep` returns, if there is such a hook; it has not failed yet. */
  beforeSleep(delay: number): unknown {
    const { beforeSleep } = this.options;
    if (beforeSleep === undefined) return undefined;
    try {
      return beforeSleep(this.context(delay), delay);
    } catch (error) {
      report(this.#listeners, error);
      return undefined;
    }
  }

  /** Reports what a callback threw. */
  report(error: unknown): void {
    report(this.#listeners, error);
  }

  /** What `beforeRetry` returns after a delay, if there is such a hook. */
  beforeRetry(delay: number): unknown {
    const error = this.error;
    const last: LastFailure =
      this.#cause === "result"
        ? { kind: "value", value: this.#result }
        : { kind: this.#isCut ? "timeout" : "error", error };
    try {
      return this.options.beforeRetry!(this.context(delay), last);
    } catch (bug) {
      this.report(bug);
      return undefined;
    }
  }

  /** What a strategy or a handler may look at. */
  context(previousSleepMs: number): BackoffContext {
    const remaining = this.#remainingNow();
    return {
      attempt: this.attempt,
      class: this.#class!,
      cause: this.#cause!,
      previousSleepMs,
      remainingMs: remaining,
      retryAfterMs: this.#retryAfter,
    };
  }

  #remainingNow(): number | null {
    const remaining = this.rest();
    return remaining === Infinity ? null : remaining;
  }

  /** Ends the call for `code`, -1 and below, as `failBy` and its like return it. */
  stop(code: number, fresh: boolean, given?: { readonly error: unknown }): CallResult {
    const number = -1 - code;
    const reason = STOP_REASONS[number]!;
    const aborted = number === ABORTED;
    const scheduled = number === SCHEDULED;
    const ended = this.#close(number);
    const delay = scheduled ? (this.#nextSleep ?? 0) : 0;
    if (this.#observed) {
      if (this.#inFlight) {
        this.#end(aborted ? "aborted" : scheduled ? "scheduled" : "raise", delay, aborted ? {} : this.#last());
      }
      const event: Mutable<PolicyEvent> = { ...this.#event(EVENTS[number]!), sleepMs: delay, stopReason: reason };
      if (number === CIRCUIT_OPEN) event.state = "open";
      this.#tell(aborted ? event : { ...event, ...this.#failure(fresh) });
      const state = stateOf(ended & 3);
      if (state !== null) this.#circuit(state);
    }
    this.#outcome = this.#failed(given === undefined ? this.#thrown(reason) : given.error, reason);
    return ERROR_CLASSES[(ended >> 2) - 1] ?? "cancelled";
  }

  /** The caller, a handler or the operation itself wants no more of it. */
  abort(given?: { readonly error: unknown }): CallResult {
    const { signal } = this.options;
    const error = given === undefined && signal?.aborted ? { error: signal.reason as unknown } : given;
    this.now = this.rules.clock();
    // Aborted while a breaker of one's own was asked.
    if (this.over) this.started = this.now;
    return this.stop(-1 - ABORTED, false, error ?? { error: this.#abortError() });
  }

  #abortError(): AbortRetryError {
    const cause = this.error;
    return new AbortRetryError("the call was aborted", cause === undefined ? undefined : { cause });
  }

  /** Gives the call up without a word, after an error that is not the operation's. */
  crash(): CallResult {
    this.#close(ABORTED);
    return "cancelled";
  }

  /** Ends the call in the core; the breaker's new state and what is counted, as it answers. */
  #close(reason: number): number {
    const [ended, next] = this.closed(reason);
    if (!Number.isNaN(next)) this.#nextSleep = next;
    return ended;
  }

  /** What the call throws when it stops for a reason. */
  #thrown(reason: StopReason): unknown {
    if (reason !== "SCHEDULED" && this.#cause === "exception") return this.error;
    return new RetryExhaustedError({
      stopReason: reason,
      attempts: this.attempt,
      lastClass: this.#class,
      lastResult: this.#result,
      nextSleepMs: this.#nextSleep,
      ...(this.#cause === "exception" ? { cause: this.error } : {}),
    });
  }

  #failed(error: unknown, reason: StopReason | null): Outcome<T> {
    return {
      ok: false,
      error,
      stopReason: reason,
      attempts: this.attempt,
      elapsedMs: this.#elapsed(),
      lastClass: this.#class,
      cause: this.#cause,
      lastError: this.error,
      lastResult: this.#result,
      nextSleepMs: this.#nextSleep,
      ...this.#told(),
    };
  }

  #told(): { timeline?: readonly PolicyEvent[] } {
    return this.#timeline === undefined ? {} : { timeline: this.#timeline };
  }

  /** How the call ended. */
  get outcome(): Outcome<T> {
    if (this.#outcome === undefined && this.rejection !== undefined) this.#outcome = this.#failed(this.rejection, null);
    return this.#outcome!;
  }

  /** The breaker of one's own and what it gave, to be handed back: once. */
  release(): { circuit: Circuit; permit: unknown } | undefined {
    const { circuit } = this.setting;
    const held = this.#permit;
    this.#permit = undefined;
    return circuit === undefined || held === undefined ? undefined : { circuit, permit: held.permit };
  }

  /** A breaker of one's own has changed. */
  settled(state: CircuitState | null | undefined): void {
    if (state && this.#observed) this.#circuit(state);
  }

  /** @internal */
  draw(): number {
    try {
      const drawn = this.rules.random();
      if (!(drawn >= 0)) throw new RangeError(`random: ${show(drawn)} is out of range: 0 to 1, without 1`);
      return Math.min(2 ** 32 - 1, Math.floor(drawn * 2 ** 32));
    } catch (error) {
      report(this.#listeners, error);
      return -1;
    }
  }

  /** @internal */
  delay(attempt: number, errorClass: number, cause: number, previous: number, remaining: number, hinted: number): number {
    try {
      const own = this.rules.own(errorClass)!;
      return checkedDelay(
        own({
          attempt,
          class: ERROR_CLASSES[errorClass]!,
          cause: cause === 0 ? "exception" : "result",
          previousSleepMs: previous,
          remainingMs: remaining === Infinity ? null : remaining,
          retryAfterMs: Number.isNaN(hinted) ? undefined : hinted,
        }),
      );
    } catch (error) {
      report(this.#listeners, error);
      return NaN;
    }
  }

  #elapsed(): number {
    return Math.max(0, Math.round((this.now - this.started) * 1000) / 1000);
  }

  #event(event: EventName): Mutable<PolicyEvent> {
    const told: Mutable<PolicyEvent> = { event, attempt: this.attempt, sleepMs: 0, elapsedMs: this.#elapsed() };
    if (this.options.operation !== undefined) told.operation = this.options.operation;
    return told;
  }

  /** The fields of the latest failure; its error and detail while they are `fresh`. */
  #failure(fresh: boolean): Partial<Mutable<PolicyEvent>> {
    const fields: Partial<Mutable<PolicyEvent>> = {};
    if (this.#class !== null) fields.class = this.#class;
    if (this.#cause !== null) fields.cause = this.#cause;
    if (!fresh) return fields;
    if (this.#cause === "exception") fields.err = nameOf(this.error);
    if (this.#detail !== undefined) fields.detail = this.#detail;
    return fields;
  }

  #last(): Partial<AttemptEnd> {
    if (this.#class === null || this.#cause === null) return {};
    const known = { class: this.#class, cause: this.#cause };
    return this.#cause === "exception" ? { ...known, error: this.error } : { ...known, result: this.#result };
  }

  #end(decision: AttemptEnd["decision"], sleepMs: number, more: Partial<AttemptEnd>): void {
    const { operation } = this.options;
    tellEnd(this.#listeners, { attempt: this.attempt, operation, elapsedMs: this.#elapsed(), decision, sleepMs, ...more });
  }

  #circuit(state: CircuitState): void {
    if (!this.#observed) return;
    const event: Mutable<PolicyEvent> = { ...this.#event(circuitEvent(state)), attempt: 0, state };
    if (state === "open" && this.#class !== null) event.class = this.#class;
    this.#tell(event);
  }

  #tell(event: PolicyEvent): void {
    this.#timeline?.push(event);
    tell(this.#listeners, event);
  }
}

type Mutable<E> = { -readonly [K in keyof E]: E[K] };
