// A call as the core keeps it, from its admission to its end.

import type { CircuitBreaker } from "../policy/breaker.js";
import type { Rules } from "../policy/retry-options.js";
import type { Resume } from "../types.js";
import { type Callbacks, deciding } from "../wasm/callbacks.js";
import { enter, table } from "../wasm/core.js";
import {
  call_begin,
  call_defer,
  call_deferred,
  call_fail,
  call_remaining,
  call_resume,
  call_start,
  call_stop,
  call_succeed,
  call_timeout,
  call_wake,
} from "../wasm/modules/core.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";
import { FLAGS, HALF_OPENED, type Setting, SUCCESS_COUNTS } from "./codes.js";

// Methods are private to the compiler alone: those that are so to the engine cost each call as much as all else here.
export abstract class CoreCall implements Callbacks {
  readonly rules: Rules;
  protected readonly setting: Setting;
  /** Whether the call has ended, or has not begun. */
  over = true;
  /** Where the core has it; 0 while that need not know of it. */
  #call = 0;
  #flags = 0;
  /** Whether the core takes the next attempt for started: it does so with the first one. */
  #hasStarted = true;
  /** When it began, and the latest time that is known. */
  protected started = 0;
  now = 0;
  /** What an attempt threw last. */
  protected error: unknown = undefined;
  attempt = 0;
  /** The deadline of this call alone; NaN for the policy's. */
  protected readonly deadline: number;

  constructor(setting: Setting, deadline: number) {
    this.setting = setting;
    this.rules = setting.rules;
    this.deadline = deadline;
  }

  /** @internal */
  abstract draw(): number;
  /** @internal */
  abstract delay(
    attempt: number,
    errorClass: number,
    cause: number,
    previous: number,
    remaining: number,
    hinted: number,
  ): number;

  /** Begins the call; false if its breaker rejects it, with the rejection in the table. */
  protected accepted(): boolean {
    const { rules, breaker } = this.setting;
    const now = (this.started = this.now = rules.clock());
    if (breaker !== undefined || rules.listens) {
      const budget = rules.budget?.slot ?? 0;
      const gate = this.gate;
      const policy = rules.slot;
      enter();
      let begun = call_begin(policy, gate, budget, now, this.deadline, NaN);
      if (begun === 0 && breaker !== undefined) {
        begun = call_begin(policy, gate, budget, now, this.deadline, this.ofBreaker(breaker));
        if (begun === 0) return false;
      }
      this.begun(begun);
    }
    this.over = false;
    rules.runs(1);
    return true;
  }

  /** Whether its breaker has become half-open with it. */
  protected get halfOpened(): boolean {
    return (this.#flags & HALF_OPENED) !== 0;
  }

  /** Goes on with what a deferred call has behind it; with a deadline of its own unless that is NaN. */
  protected resumed(behind: Resume, deadline: number): void {
    const { attempts, failures, previousSleepMs, elapsedMs, remainingMs } = behind;
    const { at } = this;
    const to = table();
    to[AT.Deferred.attempts] = attempts;
    to[AT.Deferred.delay] = previousSleepMs;
    to[AT.Deferred.elapsed] = elapsedMs;
    to[AT.Deferred.remaining] = remainingMs ?? Infinity;
    ERROR_CLASSES.forEach((name, index) => {
      to[AT.Deferred.failures + index] = failures?.[name] ?? 0;
    });
    call_resume(at, this.rules.slot, this.now, deadline);
    this.attempt = attempts;
    this.started = this.now - elapsedMs;
    this.#hasStarted = false;
  }

  /** What it has behind it, as it is deferred. */
  protected deferred(): Resume {
    call_deferred(this.at);
    const told = table();
    const counted = ERROR_CLASSES.map((name, index) => [name, told[AT.Deferred.failures + index]!] as const);
    const remaining = told[AT.Deferred.remaining]!;
    return {
      attempts: told[AT.Deferred.attempts]!,
      failures: Object.fromEntries(counted.filter(([, failures]) => failures > 0)),
      previousSleepMs: told[AT.Deferred.delay]!,
      elapsedMs: told[AT.Deferred.elapsed]!,
      remainingMs: remaining === Infinity ? null : remaining,
    };
  }

  private begun(begun: number): void {
    this.#flags = begun & FLAGS;
    const call = begun - this.#flags;
    if (call === 0) throw new RangeError("redress: out of memory");
    this.#call = call;
  }

  /** Where the core has the call, which it need not know of before something fails. */
  private get at(): number {
    if (this.isLost) throw this.disposed("circuitBreaker");
    const policy = this.#call === 0 ? this.rules.slot : 0;
    enter();
    if (policy !== 0) this.begun(call_begin(policy, 0, 0, this.started, this.deadline, NaN));
    return this.#call;
  }

  /** Whether the core has the call no more, as its breaker was disposed of. */
  private get isLost(): boolean {
    return this.#call !== 0 && this.setting.breaker?.isDisposed === true;
  }

  private disposed(what: string): Error {
    return new Error(`${what}: it was disposed of`, { cause: this.error });
  }

  /** Where the core has the breaker; 0 for none. */
  private get gate(): number {
    return this.setting.breaker?.slot ?? 0;
  }

  /** The time of the breaker, which reads a clock of its own if it has one. */
  private ofBreaker(breaker: CircuitBreaker): number {
    return breaker.clock === this.rules.clock ? this.now : breaker.clock();
  }

  /** The time of the budget; NaN if it is that of the call. */
  private ofBudget(): number {
    const { budget, clock } = this.rules;
    return budget === undefined || budget.clock === clock ? NaN : budget.clock();
  }

  /** Whether the breaker lets the call go on with the next attempt, which the core then knows of. */
  admits(): boolean {
    if (this.#hasStarted) {
      this.#hasStarted = false;
      return true;
    }
    const at = this.at;
    return call_start(at, this.rules.slot, this.gate);
  }

  /** What was left of the deadline when the attempt started; null without one. */
  remaining(): number | null {
    if (this.over || this.isLost) return 0;
    const remaining = call_remaining(this.at, NaN);
    return remaining === Infinity ? null : remaining;
  }

  /** How long the attempt may take; Infinity without a limit. */
  timeout(): number {
    // A first attempt of which the core need not know has the limit of all of them.
    const isKept = this.#call !== 0 || !Number.isNaN(this.deadline);
    return isKept && !this.isLost ? call_timeout(this.at) : this.rules.limit;
  }

  /** What is left of the deadline; Infinity without one. */
  rest(): number {
    return call_remaining(this.at, this.now);
  }

  /** The attempt has failed at `now`: what the core decides, by number, with more in the table. */
  protected decided(errorClass: number, how: number, hinted: number): number {
    const { rules, breaker } = this.setting;
    if (rules.budget?.isDisposed) throw this.disposed("budget");
    const breakerNow = breaker === undefined ? NaN : this.ofBreaker(breaker);
    const budgetNow = this.ofBudget();
    const policy = rules.slot;
    const budget = rules.budget?.slot ?? 0;
    const at = this.at;
    const gate = this.gate;
    const before = deciding.call;
    try {
      deciding.call = this;
      return call_fail(at, policy, gate, budget, this.now, errorClass, how, hinted, budgetNow, breakerNow);
    } finally {
      deciding.call = before;
    }
  }

  /** The delay is over; whether there is time for another attempt. */
  wake(): boolean {
    this.now = this.rules.clock();
    return call_wake(this.at, this.now);
  }

  /** The retry is deferred: why the call stops. A delay that does not fit takes its token now. */
  defer(): number {
    const now = this.ofBudget();
    const budget = this.rules.budget?.slot ?? 0;
    return call_defer(this.at, budget, now);
  }

  /** Ends the call with a success, at a time that is read only if it `isTimed` or the core needs it; the new state of its breaker plus 1, or 0. */
  protected endWithSuccess(isTimed: boolean): number {
    const { rules, breaker } = this.setting;
    const isLost = this.isLost;
    const counts = (this.#flags & SUCCESS_COUNTS) !== 0 && !isLost;
    if (isTimed || counts) this.now = rules.clock();
    const breakerNow = counts && breaker !== undefined ? this.ofBreaker(breaker) : NaN;
    const call = isLost ? 0 : this.#call;
    this.#call = 0;
    const before = deciding.call;
    try {
      if (call === 0) return 0;
      const policy = counts ? rules.slot : 0;
      const gate = counts ? this.gate : 0;
      // It may draw a random number.
      deciding.call = this;
      return call_succeed(call, policy, gate, counts ? this.now : NaN, breakerNow);
    } finally {
      deciding.call = before;
      this.leaves();
    }
  }

  /** Ends the call for a reason: the breaker's new state and what is counted, as the core answers, and the delay after which to go on, NaN for none. */
  protected endForReason(reason: number): readonly [ended: number, nextSleep: number] {
    const call = this.isLost ? 0 : this.#call;
    this.#call = 0;
    const before = deciding.call;
    try {
      if (call === 0) return [0, NaN];
      const breakerNow = this.setting.breaker?.clock() ?? 0;
      const gate = this.gate;
      // It may draw a random number.
      deciding.call = this;
      const ended = call_stop(call, gate, reason, breakerNow);
      return [ended, table()[0]!];
    } finally {
      deciding.call = before;
      this.leaves();
    }
  }

  private leaves(): void {
    if (!this.over) this.rules.runs(-1);
    this.over = true;
  }
}
