// A call as its hooks see it: the latest failure, the events, and the outcome.

import { checkedDelay } from "../backoff/strategy.js";
import { show } from "../config/issues.js";
import type {
  AttemptEnd,
  CallOptions,
  Cause,
  CircuitState,
  ErrorClass,
  EventName,
  Hooks,
  Outcome,
  PolicyEvent,
  Resume,
  StopReason,
} from "../types.js";
import { ERROR_CLASSES, STATE_EVENTS, STATES } from "../wasm/modules/names.js";
import type { Setting } from "./codes.js";
import { CoreCall } from "./core-call.js";
import { checked, notify, notifyEnd, notifyStart, report } from "./hooks.js";
import { nameOf } from "./thrown.js";

const NO_OPTIONS: CallOptions = {};

// Methods are private to the compiler alone: those that are so to the engine cost each call as much as all else here.
export abstract class ObservedCall<T> extends CoreCall {
  readonly options: CallOptions;
  /** The options as they were given. */
  private readonly given: CallOptions | undefined;
  /** Whether anything listens. */
  protected readonly observed: boolean;
  private readonly timeline: PolicyEvent[] | undefined;
  /** The latest failure. */
  protected class: ErrorClass | null = null;
  protected cause: Cause | null = null;
  protected result: T | undefined;
  protected retryAfter: number | undefined;
  protected detail: string | undefined;
  /** Whether an attempt has started whose end the hooks do not know. */
  protected inFlight = false;
  protected nextSleep: number | null = null;
  protected resume: Resume | null = null;
  protected reason: StopReason | null = null;
  private last: Outcome<T> | undefined;
  /** Whether the call has succeeded, and with what; else what it throws. */
  ok = false;
  value: T | undefined;
  thrown: unknown;

  constructor(setting: Setting, options: CallOptions | undefined) {
    const { hooks, observed } = setting;
    const deadlineMs = options?.deadlineMs;
    super(setting, deadlineMs === undefined ? NaN : (deadlineMs ?? Infinity));
    const listens = options !== undefined && checked("", options);
    this.options = hooks === undefined ? (options ?? NO_OPTIONS) : { ...hooks, ...options };
    this.given = options;
    this.observed = observed || listens;
    this.timeline = this.options.captureTimeline === true ? [] : undefined;
  }

  /** The hooks of the policy, and those of the call. */
  private get listeners(): readonly Hooks[] {
    return [this.setting.hooks, this.given].filter((hooks) => hooks !== undefined);
  }

  /** Whether it ended, in a way that has an outcome. */
  get isEnded(): boolean {
    return this.ok || this.reason !== null;
  }

  /** How the call ended. */
  get outcome(): Outcome<T> {
    return (this.last ??= this.outcomeNow());
  }

  private outcomeNow(): Outcome<T> {
    const common = {
      attempts: this.attempt,
      elapsedMs: this.elapsed(),
      lastClass: this.class,
      cause: this.cause,
      ...(this.timeline === undefined ? {} : { timeline: this.timeline }),
    };
    if (this.ok) return { ok: true, value: this.value as T, stopReason: null, nextSleepMs: null, ...common };
    return {
      ok: false,
      error: this.thrown,
      stopReason: this.reason,
      lastError: this.error,
      lastResult: this.result,
      nextSleepMs: this.nextSleep,
      resume: this.resume,
      ...common,
    };
  }

  private elapsed(): number {
    return Math.max(0, Math.round((this.now - this.started) * 1000) / 1000);
  }

  /** An event of this moment. */
  protected event(event: EventName): Mutable<PolicyEvent> {
    const { operation } = this.options;
    const made: Mutable<PolicyEvent> = { event, attempt: this.attempt, sleepMs: 0, elapsedMs: this.elapsed() };
    if (operation !== undefined) made.operation = operation;
    return made;
  }

  /** An event of the latest failure, with its error and detail while they are `fresh`. */
  protected failure(event: EventName, sleepMs: number, fresh: boolean): Mutable<PolicyEvent> {
    const made = this.event(event);
    made.sleepMs = sleepMs;
    if (this.class !== null) made.class = this.class;
    if (this.cause !== null) made.cause = this.cause;
    if (!fresh) return made;
    if (this.detail !== undefined) made.detail = this.detail;
    if (this.cause !== "exception") return made;
    made.err = nameOf(this.error);
    // Of what a client throws much cannot be written as JSON, and more should not.
    return Object.defineProperty(made, "error", { value: this.error });
  }

  protected emit(event: PolicyEvent): void {
    this.timeline?.push(event);
    notify(this.listeners, event);
  }

  /** An event of the breaker, whose operation is the key that the breaker is of, if it is of one. */
  private circuitEvent(event: EventName, state: CircuitState): Mutable<PolicyEvent> {
    const made = { ...this.event(event), attempt: 0, state };
    const { key } = this.setting;
    if (key !== undefined) made.operation = key;
    return made;
  }

  /** The breaker has a new state. */
  protected emitState(state: CircuitState): void {
    this.setting.breaker?.changed(state);
    if (!this.observed) return;
    const event = this.circuitEvent(STATE_EVENTS[STATES.indexOf(state)]!, state);
    if (state === "open" && this.class !== null) event.class = this.class;
    this.emit(event);
  }

  /** The breaker has rejected the call. */
  protected emitRejection(state: CircuitState): void {
    if (this.observed) this.emit(this.circuitEvent("circuit_rejected", state));
  }

  protected emitStart(): void {
    this.inFlight = true;
    if (!this.observed) return;
    const { operation } = this.options;
    notifyStart(this.listeners, { attempt: this.attempt, operation, elapsedMs: this.elapsed() });
  }

  /** The attempt has ended; with the latest failure, if that is what ended it. */
  protected emitEnd(decision: AttemptEnd["decision"], sleepMs: number, end = this.failedEnd()): void {
    const { operation } = this.options;
    const common = { attempt: this.attempt, operation, elapsedMs: this.elapsed(), decision, sleepMs };
    notifyEnd(this.listeners, { ...common, ...end });
  }

  private failedEnd(): Partial<AttemptEnd> {
    if (this.class === null || this.cause === null) return {};
    const known = { class: this.class, cause: this.cause };
    return this.cause === "exception" ? { ...known, error: this.error } : { ...known, result: this.result };
  }

  /** A callback has failed, which changes nothing. */
  protected report(error: unknown): void {
    report(this.listeners, error);
  }

  /** @internal */
  draw(): number {
    try {
      const drawn = this.rules.random();
      if (!(drawn >= 0)) throw new RangeError(`random: ${show(drawn)} is out of range: 0 to 1, without 1`);
      return Math.min(2 ** 32 - 1, Math.floor(drawn * 2 ** 32));
    } catch (error) {
      this.report(error);
      return -1;
    }
  }

  /** @internal */
  delay(
    attempt: number,
    errorClass: number,
    cause: number,
    previous: number,
    remaining: number,
    hinted: number,
  ): number {
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
          error: this.error,
          result: this.result,
        }),
      );
    } catch (error) {
      this.report(error);
      return NaN;
    }
  }
}

type Mutable<E> = { -readonly [K in keyof E]: E[K] };
