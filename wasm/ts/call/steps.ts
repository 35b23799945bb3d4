// A call that is walked step by step, for a loop, a queue or a scheduler of your own.

import { classNumber } from "../config/checks.js";
import type { Runner } from "../policy/policy.js";
import type { CallOptions, Classification, ErrorClass, Failure, Outcome, SleepDecision, Success } from "../types.js";
import { DISPOSE, type Disposing } from "../wasm/using.js";
import { type Action, ASK, checkedDecision, DONE, Machine, READY, type Scheduling, WAIT } from "./machine.js";
import { valueOrThrow } from "./outcomes.js";
import { later, settingOf } from "./synchronous.js";

const BY_HAND: Scheduling = { timed: true, waits: false };

/** What follows a failed attempt: another one after the delay, or nothing any more. */
export type Decision<T = unknown> =
  | {
      /** Another attempt is to be made. */
      readonly retry: true;
      /** The delay before it, in milliseconds, 0 and up. */
      readonly sleepMs: number;
    }
  | {
      /** The call is over. */
      readonly retry: false;
      /** How it ended. */
      readonly outcome: Failure<T>;
    };

/** An attempt as `start` begins it. */
export interface StartedAttempt {
  /** Its number, from 1. */
  readonly attempt: number;
  /** What is left of the deadline, in milliseconds; null without one. */
  readonly remainingMs: number | null;
  /** How many milliseconds it may take, by the attempt timeout and the deadline: end it then by `timedOut`; a success stands however late. Null without a limit. */
  readonly timeoutMs: number | null;
  /** The name of the call, if it has one. */
  readonly operation: string | undefined;
}

let dropped: FinalizationRegistry<Machine<any>> | undefined;

/**
 * Begins a call that you drive: `start` an attempt, run it, and tell that it `succeed`ed or
 * `fail`ed. After `{ retry: true }` wait in whatever way you wait, call `onWake`, and start again.
 *
 * Nothing here waits, and nothing ends an attempt: signals and timeouts are yours, and a `sleeper` is not asked. `signal` and `abortIf` are asked at each
 * step. A breaker and a budget of your own must answer at once.
 *
 * Throws a CircuitOpenError if the breaker rejects the call.
 */
export function begin<T = unknown>(policy: Runner, options?: CallOptions): Call<T> {
  const setting = settingOf("begin", policy);
  const machine = new Machine<T>(setting, options, BY_HAND);
  const action = machine.begin();
  if (action === ASK) throw later(machine.asked, machine.answer);
  if (action === DONE) throw machine.thrown;
  // To wait is the caller's, before the first attempt, too.
  if (action === WAIT) machine.waited();
  return new ByHand(machine) as ByHand<T> & Disposing;
}

/**
 * A call under way. It must come to its end: by `succeed`, by a `fail` that is not retried, by
 * `abort`, or by `cancel`, which `using` says at the end of its block. One that is forgotten is
 * cancelled when it is collected.
 */
export type Call<T = unknown> = ByHand<T> & Disposing;

/** What is due: an attempt's start, its end, the end of a delay, or nothing any more. */
type Due = "start" | "end" | "wake" | "nothing";

/** The steps of a call under way. */
class ByHand<T> {
  readonly #machine: Machine<T>;
  #due: Due = "start";

  /** @internal */
  constructor(machine: Machine<T>) {
    this.#machine = machine;
    if (typeof FinalizationRegistry !== "function") return;
    dropped ??= new FinalizationRegistry((forgotten) => forgotten.cancel());
    dropped.register(this, machine, this);
  }

  /** How it ended; undefined while it is under way, and after `cancel`. */
  get outcome(): Outcome<T> | undefined {
    return this.#due === "nothing" && this.#machine.isEnded ? this.#machine.outcome : undefined;
  }

  /** Starts an attempt. Throws what `call` throws if the caller has aborted, or a breaker that is asked has opened; the call is over then. */
  start(): StartedAttempt {
    const machine = this.#machine;
    this.#step("start", "start", () => machine.start());
    const { attempt, operation } = machine.current;
    const timeout = machine.timeout();
    return { attempt, operation, remainingMs: machine.remaining(), timeoutMs: timeout === Infinity ? null : timeout };
  }

  /** The attempt succeeded, and with it the call, however late it is. */
  succeed(value: T): Success<T> {
    this.#step("succeed", "end", () => this.#machine.succeed(value));
    return this.#machine.outcome as Success<T>;
  }

  /** The attempt threw this: a failure of this class, or of that which the policy's classifier finds; then an `AbortRetryError` ends the call. */
  fail(error: unknown, verdict?: ErrorClass | Classification): Decision<T> {
    if (verdict === undefined) return this.#decided("fail", "end", () => this.#machine.failed(error));
    const classification = this.#classification("fail", verdict);
    return this.#decided("fail", "end", () => this.#machine.failedByError(error, classification));
  }

  /** The attempt returned a value that is a failure of this class. */
  failByValue(value: T, verdict: ErrorClass | Classification): Decision<T> {
    const classification = this.#classification("failByValue", verdict);
    return this.#decided("failByValue", "end", () => this.#machine.failedByValue(value, classification));
  }

  #classification(step: string, verdict: ErrorClass | Classification): Classification {
    this.#expect(step, "end");
    const classification = typeof verdict === "string" ? { class: verdict } : verdict;
    classNumber(step, classification?.class);
    return classification;
  }

  /** You ended the attempt, as its time was over: a failure of class TRANSIENT. If the deadline was the shorter limit, the call stops. */
  timedOut(error: unknown): Decision<T> {
    return this.#decided("timedOut", "end", () => this.#machine.timedOut(error));
  }

  /** The retry just decided is deferred or aborted after all. Its token of the budget stays spent. */
  onSleepDecision(decision: SleepDecision): Decision<T> {
    this.#expect("onSleepDecision", "wake");
    checkedDecision("onSleepDecision", decision);
    return this.#decided("onSleepDecision", "wake", () => this.#machine.onSleepDecision(decision));
  }

  /** The delay is over; `beforeRetry` runs. Throws what `call` throws if the deadline has passed, or the hook says "abort"; the call is over then. */
  onWake(): void {
    this.#step("onWake", "wake", () => this.#machine.waited());
  }

  /** The caller wants no more of it: stop reason ABORTED, and `reason`, the signal's or an `AbortRetryError` as the error. */
  abort(reason?: unknown): Failure<T> {
    if (this.#due === "nothing") throw new Error("abort: the call is over");
    this.#advance(() => this.#machine.abort(reason === undefined ? undefined : { error: reason }));
    return this.#machine.outcome as Failure<T>;
  }

  /** Cancels the call: a probe's place is free again, nothing is counted. After the end it does nothing. */
  cancel(): void {
    if (this.#due === "nothing") return;
    this.#end();
    this.#machine.cancel();
  }

  #expect(step: string, due: Due): void {
    if (this.#due === due) return;
    const why = {
      start: "no attempt is under way: `start` one",
      end: `attempt ${this.#machine.attempt} is under way: say how it ended`,
      wake: "a delay was decided: call `onWake` when it is over",
      nothing: "the call is over",
    };
    throw new Error(`${step}: ${why[this.#due]}`);
  }

  /** A step after which the call goes on, or has succeeded; throws what it ends with otherwise. */
  #step(name: string, due: Due, step: () => Action): void {
    this.#expect(name, due);
    if (this.#advance(step) === DONE) valueOrThrow(this.#machine);
  }

  #decided(name: string, due: Due, step: () => Action): Decision<T> {
    this.#expect(name, due);
    if (this.#advance(step) === DONE) return { retry: false, outcome: this.#machine.outcome as Failure<T> };
    return { retry: true, sleepMs: this.#machine.sleepMs };
  }

  /** Takes a step. What a callback throws that may not fail ends the call, its permit cancelled. */
  #advance(step: () => Action): Action {
    try {
      const action = step();
      if (action === ASK) throw later(this.#machine.asked, this.#machine.answer);
      if (action === DONE) this.#end();
      else this.#due = action === READY ? "start" : action === WAIT ? "wake" : "end";
      return action;
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  #end(): void {
    this.#due = "nothing";
    dropped?.unregister(this);
  }
}

Object.defineProperty(ByHand.prototype, DISPOSE, { value: ByHand.prototype.cancel });
