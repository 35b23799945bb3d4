// One call, step by step: the core decides, the hooks hear, and the drivers wait. Nothing here waits.

import { AttemptContext } from "./attempt.js";
import { type CircuitBreaker, rejected, stateOf } from "./breaker.js";
import { ABORTED, BY_CUT, BY_ERROR, BY_VALUE, CIRCUIT_OPEN, EVENTS, HALF_OPENED, HEARS, SCHEDULED, type Setting, TOO_LONG, circuitEvent } from "./codes.js";
import { checkedDelay, hint } from "./strategy.js";
import { type Asked, answering, core, table } from "./core.js";
import { AbortRetryError, CircuitOpenError, RetryExhaustedError } from "./errors.js";
import { isThenable, report, tell, tellEnd, tellStart } from "./hooks.js";
import { show } from "./options.js";
import type { Rules } from "./rules.js";
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

export class Steps<T> implements Asked {
  readonly rules: Rules;
  readonly options: CallOptions;
  readonly #setting: Setting;
  readonly #listeners: readonly Hooks[];
  readonly #observed: boolean;
  readonly #timeline: PolicyEvent[] | undefined;
  /** Whether the call has ended, or has not begun. */
  over = true;
  /** Where the core has the call; 0 while it need not know of it. */
  #call = 0;
  #flags = 0;
  #permit: { readonly permit: unknown } | undefined;
  #started = 0;
  #now = 0;
  attempt = 0;
  /** The latest failure. */
  #class: ErrorClass | null = null;
  #cause: Cause | null = null;
  #error: unknown = undefined;
  #result: T | undefined;
  #retryAfter: number | undefined;
  #detail: string | undefined;
  /** Whether the latest failure is that its time was over. */
  #isCut = false;
  /** An attempt has started, and hooks have not got its end yet. */
  #inFlight = false;
  /** The deadline of this call alone; NaN for the policy's. */
  readonly #deadline: number;
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
    const { rules, hooks, observed } = setting;
    this.rules = rules;
    this.#setting = setting;
    this.options = hooks === undefined ? (options ?? NO_OPTIONS) : { ...hooks, ...options };
    this.#listeners = hooks === undefined ? [this.options] : options === undefined ? [hooks] : [hooks, options];
    this.#observed = observed || listens;
    this.#timeline = this.options.captureTimeline === true ? [] : undefined;
    const { deadlineMs } = this.options;
    this.#deadline = deadlineMs === undefined ? NaN : (deadlineMs ?? Infinity);
  }

  /** Begins the call; false if the breaker rejects it. */
  begin(): boolean {
    const { rules, breaker } = this.#setting;
    const now = (this.#started = this.#now = rules.clock());
    if (breaker !== undefined || rules.listens) {
      const budget = rules.budget?.slot ?? 0;
      const gate = breaker?.slot ?? 0;
      const { call_begin, call_probe } = core();
      let begun = call_begin(rules.slot, gate, budget, now, this.#deadline);
      if (begun === 0 && breaker !== undefined) {
        begun = call_probe(rules.slot, gate, budget, now, this.#deadline, this.#ofBreaker(breaker));
        if (begun === 0) {
          this.#reject(rejected());
          return false;
        }
      }
      this.#begun(begun);
    }
    this.over = false;
    if (rules.pool?.deposit) this.deposited(rules.pool.deposit());
    if ((this.#flags & HALF_OPENED) !== 0) this.#circuit("half_open");
    return true;
  }

  #begun(begun: number): number {
    if (begun === 0) throw new RangeError("redress: out of memory");
    this.#flags = begun & 7;
    return (this.#call = begun - this.#flags);
  }

  /** Where the core has the call, which it need not know of before something fails. */
  get #at(): number {
    return this.#call || this.#begun(core().call_begin(this.rules.slot, 0, 0, this.#started, this.#deadline));
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

  /** The time of the breaker, which reads a clock of its own if it has one. */
  #ofBreaker(breaker: CircuitBreaker): number {
    return breaker.clock === this.rules.clock ? this.#now : breaker.clock();
  }

  /** The time of the budget; NaN if it is that of the call. */
  #ofBudget(): number {
    const { budget, clock } = this.rules;
    return budget === undefined || budget.clock === clock ? NaN : budget.clock();
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

  /** Whether the breaker lets the call go on with the next attempt, which the core then knows of. */
  admits(): boolean {
    return this.attempt === 0 || core().call_start(this.#at) !== 0;
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

  /** What was left of the deadline when the attempt started. */
  remaining(): number | null {
    if (this.over) return 0;
    const remaining = core().call_remaining(this.#at);
    return remaining === Infinity ? null : remaining;
  }

  /** How long the attempt may take; Infinity without a limit. */
  timeout(): number {
    // A first attempt of which the core need not know has the limit of all of them.
    return this.#call === 0 && Number.isNaN(this.#deadline) ? this.rules.limit : core().call_timeout(this.#at);
  }

  /** How much of that is left; Infinity without a limit. */
  left(): number {
    const limit = this.timeout();
    return limit === Infinity ? limit : limit - Math.max(0, this.rules.clock() - this.#now);
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
    const { rules, breaker } = this.#setting;
    const hears = (this.#flags & HEARS) !== 0;
    if (told || hears || this.#observed) this.#now = rules.clock();
    const call = this.#call;
    this.#call = 0;
    this.over = true;
    let gone = 0;
    if (hears) gone = core().call_succeed(call, this.#now, breaker?.clock() ?? NaN);
    else if (call !== 0) core().call_succeed(call, NaN, NaN);
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
    this.#error = error;
    this.#result = undefined;
    return this.#fail(this.#ofError(error), "exception", BY_ERROR);
  }

  /** The attempt returned a value that is a failure. */
  failByValue(value: T, classification: Classification): number {
    this.#error = undefined;
    this.#result = value;
    return this.#fail(classification, "result", BY_VALUE);
  }

  /** The attempt's time, or that of the call, was over before it settled. */
  timedOut(error: unknown): number {
    this.#error = error;
    this.#result = undefined;
    return this.#fail({ class: "TRANSIENT" }, "exception", BY_CUT);
  }

  #fail(classification: Classification, cause: Cause, how: number): number {
    const { rules, breaker } = this.#setting;
    this.#now = rules.clock();
    this.#isCut = how === BY_CUT;
    if (this.aborted()) return -1 - ABORTED;
    this.#class = classification.class;
    this.#cause = cause;
    this.#retryAfter = hint(classification.retryAfterMs);
    this.#detail = classification.detail;
    const errorClass = ERROR_CLASSES.indexOf(classification.class);
    const breakerNow = breaker === undefined ? NaN : this.#ofBreaker(breaker);
    const hinted = this.#retryAfter ?? NaN;
    const { call_fail, call_class } = core();
    // It catches what its callbacks throw.
    const before = answering(this);
    const decided = call_fail(this.#at, this.#now, errorClass, how, hinted, this.#ofBudget(), breakerNow);
    answering(before);
    if (rules.timed) this.#late(ERROR_CLASSES[call_class(this.#at)]!);
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
    const error = this.#error;
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

  /** What is left of the deadline; Infinity without one. */
  rest(): number {
    return core().call_remaining_at(this.#at, this.#now);
  }

  /** The delay is over; whether there is time for another attempt. */
  woke(): boolean {
    this.#now = this.rules.clock();
    return core().call_woke(this.#at, this.#now) !== 0;
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

  /** The retry is deferred: why the call stops. A delay that does not fit takes its token now. */
  defer(): number {
    return core().call_defer(this.#at, this.#ofBudget());
  }

  /** The caller, a handler or the operation itself wants no more of it. */
  abort(given?: { readonly error: unknown }): CallResult {
    const { signal } = this.options;
    const error = given === undefined && signal?.aborted ? { error: signal.reason as unknown } : given;
    this.#now = this.rules.clock();
    // Aborted while a breaker of one's own was asked.
    if (this.over) this.#started = this.#now;
    return this.stop(-1 - ABORTED, false, error ?? { error: this.#abortError() });
  }

  #abortError(): AbortRetryError {
    const cause = this.#error;
    return new AbortRetryError("the call was aborted", cause === undefined ? undefined : { cause });
  }

  /** Gives the call up without a word, after an error that is not the operation's. */
  crash(): CallResult {
    this.#close(ABORTED);
    return "cancelled";
  }

  /** Ends the call in the core; the breaker's new state and what is counted, as it answers. */
  #close(reason: number): number {
    const call = this.#call;
    this.over = true;
    if (call === 0) return 0;
    this.#call = 0;
    const { call_next_sleep, call_stop } = core();
    const next = call_next_sleep(call, reason);
    if (!Number.isNaN(next)) this.#nextSleep = next;
    // It may draw a random number.
    const before = answering(this);
    const ended = call_stop(call, reason, this.#setting.breaker?.clock() ?? 0);
    answering(before);
    return ended;
  }

  /** What the call throws when it stops for a reason. */
  #thrown(reason: StopReason): unknown {
    if (reason !== "SCHEDULED" && this.#cause === "exception") return this.#error;
    return new RetryExhaustedError({
      stopReason: reason,
      attempts: this.attempt,
      lastClass: this.#class,
      lastResult: this.#result,
      nextSleepMs: this.#nextSleep,
      ...(this.#cause === "exception" ? { cause: this.#error } : {}),
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
      lastError: this.#error,
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
    const { circuit } = this.#setting;
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
    return Math.max(0, Math.round((this.#now - this.#started) * 1000) / 1000);
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
    if (this.#cause === "exception") fields.err = nameOf(this.#error);
    if (this.#detail !== undefined) fields.detail = this.#detail;
    return fields;
  }

  #last(): Partial<AttemptEnd> {
    if (this.#class === null || this.#cause === null) return {};
    const known = { class: this.#class, cause: this.#cause };
    return this.#cause === "exception" ? { ...known, error: this.#error } : { ...known, result: this.#result };
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
