// Callers under one policy, and a service that fails for a while, on virtual time.

import { begin, type Call, CircuitOpenError, type Classification, type Decision, type ErrorClass } from "redress";
import type { Guarded, Source } from "./policy.js";
import { seeded } from "./random.js";
import { type Scene, SPAN_MS } from "./scene.js";
import { started, woken } from "./steps.js";
import { Timeline } from "./timeline.js";

/** What one point of the picture spans, in milliseconds. */
export const BIN_MS = 5_000;
/** How many points there are. */
export const BINS = SPAN_MS / BIN_MS;
/** States of a breaker as they are drawn. */
export const STATES = ["closed", "half_open", "open"] as const;

/** What happened, by time. */
export interface Course {
  /** Attempts, retries among them, and successes in each second. */
  readonly load: Float64Array;
  readonly retries: Float64Array;
  readonly successes: Float64Array;
  /** The budget's balance, and the breaker's state by its place in `STATES`, at the end of each bin; NaN without one. */
  readonly balance: Float64Array;
  readonly state: Float64Array;
  readonly totals: Totals;
}

/** How many there were, of calls that began within the span, each to its end. */
export interface Totals {
  calls: number;
  attempts: number;
  succeeded: number;
  failed: number;
  /** Calls that the breaker rejected: they reached nothing. */
  rejected: number;
}

/** How much may happen in a step: retries without a delay may never end. */
const MOST = 2_000;

/** Makes the policy of a run. */
export type Make = (source: Source) => Guarded;

const DOWN = new Error("the service is down");
const TIMEOUT = Object.assign(new Error("the attempt took too long"), { name: "TimeoutError" });

export class Outage {
  readonly course: Course;
  readonly #scene: Scene;
  readonly #timeline = new Timeline();
  readonly #random: () => number;
  readonly #guarded: Guarded;
  readonly #initialMs: number;
  readonly #classes: (readonly [name: ErrorClass, upTo: number])[] = [];
  #full = 0;
  #isOver = false;

  /** A run that has not begun; `initialDelayMs` is that of the policy. */
  constructor(scene: Scene, make: Make, initialDelayMs = 0) {
    this.#scene = scene;
    this.#random = seeded(scene.seed);
    this.#guarded = make({ clock: this.#timeline.clock, random: this.#random });
    this.#initialMs = initialDelayMs;
    let sum = 0;
    for (const [name, share] of Object.entries(scene.mix))
      if (share > 0) this.#classes.push([name as ErrorClass, (sum += share)]);
    const bins = () => new Float64Array(BINS);
    this.course = {
      load: bins(),
      retries: bins(),
      successes: bins(),
      balance: bins().fill(NaN),
      state: bins().fill(NaN),
      totals: { calls: 0, attempts: 0, succeeded: 0, failed: 0, rejected: 0 },
    };
    for (let caller = 0; caller < scene.callers; caller += 1)
      this.#timeline.after(this.#random() * scene.everyMs, () => this.#begin());
  }

  /** How many bins are full. */
  get bins(): number {
    return this.#full;
  }

  /** Whether all calls have come to their end. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Goes on to the end of a bin, or by a part of it if much happens; after the last to the end of all calls. */
  step(): void {
    const isAfter = this.#full === BINS;
    if (!this.#timeline.runUntil(isAfter ? Infinity : (this.#full + 1) * BIN_MS, MOST)) return;
    this.#isOver = isAfter;
    if (isAfter) return;
    const { budget, breaker } = this.#guarded;
    if (budget !== undefined) this.course.balance[this.#full] = budget.remaining();
    if (breaker !== undefined) this.course.state[this.#full] = STATES.indexOf(breaker.state as "open");
    this.#full += 1;
  }

  #begin(): void {
    const beganMs = this.#timeline.nowMs;
    if (beganMs >= SPAN_MS) return;
    const { totals } = this.course;
    const next = () =>
      this.#timeline.after(Math.max(0, beganMs + this.#scene.everyMs - this.#timeline.nowMs), () => this.#begin());
    totals.calls += 1;
    let call: Call;
    try {
      call = begin(this.#guarded.policy);
    } catch (error) {
      if (!(error instanceof CircuitOpenError)) throw error;
      totals.rejected += 1;
      next();
      return;
    }
    const ended = () => {
      if (call.outcome?.ok) totals.succeeded += 1;
      else totals.failed += 1;
      next();
    };
    if (this.#initialMs > 0) this.#timeline.after(this.#initialMs, () => this.#attempt(call, ended));
    else this.#attempt(call, ended);
  }

  #attempt(call: Call, ended: () => void): void {
    const begun = started(call);
    if (begun === null) return ended();
    this.course.totals.attempts += 1;
    this.#count(this.course.load);
    if (begun.attempt > 1) this.#count(this.course.retries);
    const { latencyMs, failure } = this.#answer();
    const limitMs = begun.timeoutMs ?? Infinity;
    const isLate = latencyMs > limitMs;
    this.#timeline.after(Math.min(latencyMs, limitMs), () => {
      if (isLate) this.#decided(call, call.timedOut(TIMEOUT), ended);
      else if (failure !== undefined) this.#decided(call, call.fail(DOWN, failure), ended);
      else {
        call.succeed(undefined);
        this.#count(this.course.successes);
        ended();
      }
    });
  }

  #decided(call: Call, decision: Decision, ended: () => void): void {
    if (!decision.retry) return ended();
    this.#timeline.after(decision.sleepMs, () => (woken(call) ? this.#attempt(call, ended) : ended()));
  }

  /** What the service makes of an attempt that begins now. */
  #answer(): { latencyMs: number; failure: Classification | undefined } {
    const { outageAtMs, outageMs, failing, latencyMs, outageLatencyMs, retryAfterMs } = this.#scene;
    const isOut = this.#timeline.nowMs >= outageAtMs && this.#timeline.nowMs < outageAtMs + outageMs;
    // From a half to one and a half of what it takes by and large.
    const varied = (isOut ? outageLatencyMs : latencyMs) * (0.5 + this.#random());
    if (!isOut || this.#random() * 100 >= failing) return { latencyMs: varied, failure: undefined };
    const drawn = this.#random() * this.#classes.at(-1)![1];
    const [name] = this.#classes.find(([, upTo]) => drawn < upTo)!;
    const hint = name === "RATE_LIMIT" && retryAfterMs !== null ? { retryAfterMs } : {};
    return { latencyMs: varied, failure: { class: name, ...hint } };
  }

  #count(bins: Float64Array): void {
    const bin = Math.floor(this.#timeline.nowMs / BIN_MS);
    if (bin < bins.length) bins[bin]! += 1000 / BIN_MS;
  }
}
