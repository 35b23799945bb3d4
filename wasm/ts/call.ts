// A call that is walked step by step, for a loop, a queue or a scheduler of your own.

import { OPENED } from "./codes.js";
import { decideSync, hookSync, now, prepareSync, settleSync } from "./drive.js";
import { checked } from "./hooks.js";
import { DISPOSE, type Disposing } from "./dispose.js";
import { classNumber, wrongType } from "./options.js";
import type { Runner } from "./policy.js";
import { Steps } from "./steps.js";
import { asksToStop } from "./thrown.js";
import type { CallOptions, CallResult, Classification, ErrorClass, Failure, Outcome, SleepDecision, Success } from "./types.js";

/** What follows a failed attempt: another one after the delay, or nothing any more. */
export type Decision<T = unknown> =
  | { readonly retry: true; readonly sleepMs: number }
  | { readonly retry: false; readonly outcome: Failure<T> };

/** What a step is told of its attempt. */
export interface StartedAttempt {
  /** Its number, from 1. */
  readonly attempt: number;
  /** What is left of the deadline; null without one. */
  readonly remainingMs: number | null;
  /** How long it may take, by the attempt timeout and the deadline: end it then by `timedOut`; a success stands however late. Null without a limit. */
  readonly timeoutMs: number | null;
  readonly operation: string | undefined;
}

let dropped: FinalizationRegistry<Steps<any>> | undefined;

/**
 * Begins a call that you drive: `start` an attempt, run it, and tell that it `succeed`ed or
 * `fail`ed. After `{ retry: true }` wait in whatever way you wait, say `woke`, and start again.
 *
 * Nothing here waits, and nothing ends an attempt: signals and timeouts are yours, and a `sleeper` is not asked. `signal` and `abortIf` are asked at each
 * step. A breaker and a budget of your own must answer at once.
 *
 * Throws a CircuitOpenError if the breaker rejects the call.
 */
export function begin<T = unknown>(policy: Runner, options?: CallOptions): Call<T> {
  const setting = (policy as Runner | null | undefined)?.setting;
  if (setting === undefined) throw wrongType("begin", policy, "a policy");
  const steps = new Steps<T>(setting, options, options === undefined ? false : checked("", options));
  const { circuit } = setting;
  const begun = circuit === undefined ? steps.begin() : steps.admitted(now("circuitBreaker.admit", circuit.admit()));
  if (!begun) throw (steps.outcome as Failure<T>).error;
  return new Walked(steps) as Walked<T> & Disposing;
}

/**
 * A call under way. It must come to its end: by `succeed`, by a `fail` that is not retried, by
 * `abort`, or by `cancel`, which `using` says at the end of its block. One that is forgotten is
 * cancelled when it is collected.
 */
export type Call<T = unknown> = Walked<T> & Disposing;

class Walked<T> {
  readonly #steps: Steps<T>;
  #due: "start" | "end" | "woke" | "nothing" = "start";
  #delay = 0;

  /** @internal */
  constructor(steps: Steps<T>) {
    this.#steps = steps;
    if (typeof FinalizationRegistry !== "function") return;
    dropped ??= new FinalizationRegistry((forgotten) => {
      try {
        settleSync(forgotten, forgotten.crash());
      } catch (error) {
        forgotten.report(error);
      }
    });
    dropped.register(this, steps, this);
  }

  /** How it ended; undefined while it is under way, and after `cancel`. */
  get outcome(): Outcome<T> | undefined {
    return this.#due === "nothing" ? this.#steps.outcome : undefined;
  }

  /** Starts an attempt. Throws what `call` throws if the caller has aborted, or a breaker that is asked has opened; the call is over then. */
  start(): StartedAttempt {
    this.#expect("start", "start");
    const steps = this.#steps;
    return this.#guarded(() => {
      if (steps.aborted()) throw this.#end(steps.abort()).error;
      if (!steps.admits()) throw this.#end(steps.stop(OPENED, false)).error;
      const { attempt, operation } = steps.start();
      this.#due = "end";
      const timeout = steps.timeout();
      return { attempt, operation, remainingMs: steps.remaining(), timeoutMs: timeout === Infinity ? null : timeout };
    });
  }

  /** The attempt succeeded, and with it the call, however late it is. */
  succeed(value: T): Success<T> {
    this.#expect("succeed", "end");
    return this.#guarded(() => this.#end(this.#steps.succeed(value, true)) as Outcome<T> as Success<T>);
  }

  /** The attempt threw this, which the policy's classifier looks at. An `AbortRetryError` ends the call. */
  fail(error: unknown): Decision<T> {
    this.#expect("fail", "end");
    const steps = this.#steps;
    if (asksToStop(error)) return this.#guarded(() => this.#stopped(steps.abort({ error })));
    return this.#decided(() => steps.failBy(error));
  }

  /** The attempt returned a value that is a failure of this class. */
  failByValue(value: T, verdict: ErrorClass | Classification): Decision<T> {
    this.#expect("failByValue", "end");
    const classification = typeof verdict === "string" ? { class: verdict } : verdict;
    classNumber("failByValue", classification?.class);
    return this.#decided(() => this.#steps.failByValue(value, classification));
  }

  /** You ended the attempt, as its time was over: a failure of class TRANSIENT. If the deadline was the shorter limit, the call stops. */
  timedOut(error: unknown): Decision<T> {
    this.#expect("timedOut", "end");
    return this.#decided(() => this.#steps.timedOut(error));
  }

  /** The retry just decided is put off, or given up after all. Its token of the budget stays spent. */
  chosen(decision: SleepDecision): Decision<T> {
    this.#expect("chosen", "woke");
    if (decision === "sleep") return { retry: true, sleepMs: this.#delay };
    if (decision !== "defer" && decision !== "abort") throw wrongType("chosen", decision, '"sleep", "defer" or "abort"');
    const steps = this.#steps;
    return this.#guarded(() => this.#stopped(decision === "defer" ? steps.stop(steps.defer(), false) : steps.abort()));
  }

  /** The delay is over; `beforeRetry` runs. Throws what `call` throws if the deadline has passed, or the hook says "abort"; the call is over then. */
  woke(): void {
    this.#expect("woke", "woke");
    const steps = this.#steps;
    this.#guarded(() => {
      const ended = prepareSync(steps, this.#delay);
      if (ended !== undefined) throw this.#end(ended).error;
      this.#due = "start";
    });
  }

  /** The caller wants no more of it: stop reason ABORTED, and `reason`, the signal's or an `AbortRetryError` as the error. */
  abort(reason?: unknown): Failure<T> {
    if (this.#due === "nothing") throw new Error("abort: the call is over");
    return this.#guarded(() => this.#end(this.#steps.abort(reason === undefined ? undefined : { error: reason })));
  }

  /** Gives it up without a word: a probe's place is free again, nothing is counted. After the end it does nothing. */
  cancel(): void {
    if (this.#due === "nothing") return;
    this.#over();
    settleSync(this.#steps, this.#steps.crash());
  }

  #expect(step: string, due: "start" | "end" | "woke"): void {
    if (this.#due === due) return;
    const why = {
      start: "no attempt is under way: `start` one",
      end: `attempt ${this.#steps.attempt} is under way: tell how it ended`,
      woke: "a delay was decided: say `woke` when it is over",
      nothing: "the call is over",
    };
    throw new Error(`${step}: ${why[this.#due]}`);
  }

  #decided(fail: () => number): Decision<T> {
    return this.#guarded(() => {
      const code = fail();
      const ended = decideSync(this.#steps, code);
      if (ended !== undefined) return this.#stopped(ended);
      if (code > 0) hookSync(this.#steps, code);
      this.#due = "woke";
      this.#delay = code;
      return { retry: true, sleepMs: code };
    });
  }

  #stopped(result: CallResult): Decision<T> {
    return { retry: false, outcome: this.#end(result) };
  }

  #end(result: CallResult): Failure<T> {
    this.#over();
    settleSync(this.#steps, result);
    return this.#steps.outcome as Failure<T>;
  }

  #over(): void {
    this.#due = "nothing";
    dropped?.unregister(this);
  }

  /** What a callback throws that may not fail ends the call, its permit cancelled. */
  #guarded<A>(step: () => A): A {
    try {
      return step();
    } catch (error) {
      this.cancel();
      throw error;
    }
  }
}

Object.defineProperty(Walked.prototype, DISPOSE, { value: Walked.prototype.cancel });
