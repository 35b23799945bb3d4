// A breaker and a budget that isolates share, in a Durable Object.

import { number, WHOLE } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { CircuitBreaker, type CircuitBreakerOptions } from "../policy/breaker.js";
import { Budget, type RatioBudgetOptions, type RollingBudgetOptions } from "../policy/budget.js";
import type { Admission, CallResult, Circuit, CircuitState, Pool } from "../types.js";
import { MOST_CALLS } from "./object.js";
import { type DurableOptions, type Latency, type Namespace, parted, Remote } from "./remote.js";

export { RedressState } from "./object.js";
export type { DurableOptions, Latency, Namespace } from "./remote.js";

/** A permit of the object (its id), or of this isolate's own breaker. */
type Permit = string | number;

/** A breaker whose state is in a Durable Object. */
export class DurableCircuitBreaker implements Circuit<Permit> {
  readonly #remote: Remote;
  readonly #settings: CircuitBreakerOptions;
  readonly #local: CircuitBreaker;

  /** A handle to the object of this name: the namespace that is bound, and options that are checked. */
  constructor(namespace: Namespace, settings: DurableOptions & Omit<CircuitBreakerOptions, "clock">) {
    const [asking, own] = parted("durableCircuitBreaker", settings);
    this.#remote = new Remote("durableCircuitBreaker", namespace, asking);
    for (const name of ["checkBeforeRetry", "openForHintMs"] as const) {
      // Both need an answer of the object in the middle of a call.
      if (own[name]) {
        const expected = "an option here: calls ask the object when they begin and end alone";
        refuse(`durableCircuitBreaker.${name}`, own[name], expected);
      }
    }
    this.#settings = own;
    this.#local = new CircuitBreaker(own);
  }

  /** What asking the object has cost so far. */
  get latency(): Latency {
    return this.#remote.latency;
  }

  /** Asks the object; what `whenUnreachable` says if it does not answer in time. */
  async admit(): Promise<Admission<Permit>> {
    const id = crypto.randomUUID();
    const answer = (await this.#remote.ask({ ask: "admit", settings: this.#settings, id })) as Admission | undefined;
    if (answer === undefined) {
      return this.#remote.rejects ? { ok: false, state: "open", retryAfterMs: 0 } : this.#local.admit();
    }
    return answer.ok ? { ...answer, permit: id } : answer;
  }

  /** Takes the permit back; the new state, or null if it stayed the same or the object does not answer in time. */
  async settle(permit: Permit, result: CallResult): Promise<CircuitState | null> {
    if (typeof permit === "number") return this.#local.settle(permit, result);
    const answer = await this.#remote.ask({ ask: "settle", settings: this.#settings, id: permit, result });
    return answer?.state ?? null;
  }
}

/** The options of a budget; its time is that of the object. */
type BudgetSettings = Omit<RollingBudgetOptions, "clock"> | Omit<RatioBudgetOptions, "clock">;

/** A budget whose state is in a Durable Object. */
export class DurableBudget implements Pool {
  readonly #remote: Remote;
  readonly #settings: BudgetSettings;
  readonly #local: Budget;
  /** Calls that the object has not been told of. */
  #calls = 0;

  /** A handle to the object of this name: the namespace that is bound, and options that are checked. */
  constructor(namespace: Namespace, settings: DurableOptions & BudgetSettings) {
    const [asking, own] = parted("durableBudget", settings);
    this.#remote = new Remote("durableBudget", namespace, asking);
    this.#settings = own as BudgetSettings;
    this.#local = new Budget(this.#settings);
  }

  /** What asking the object has cost so far. */
  get latency(): Latency {
    return this.#remote.latency;
  }

  /**
   * A call begins: a budget in proportion to calls earns from it. The object gets the number with the next
   * question, so that a call without a retry costs no request; at most 100,000 calls are told at once.
   */
  deposit(): void {
    this.#local.deposit();
    if (this.#calls < MOST_CALLS) this.#calls += 1;
  }

  /** Takes so many retries, 1 by default, all or none; whether they were there. What `whenUnreachable` says if the object does not answer in time. */
  async consume(cost = 1): Promise<boolean> {
    const whole = number("cost", cost, [undefined, WHOLE, 0, 2 ** 32 - 1]);
    const id = crypto.randomUUID();
    // Those of a question that is not answered are lost: rather too few retries than too many.
    const calls = this.#calls;
    this.#calls = 0;
    const answer = await this.#remote.ask({ ask: "consume", settings: this.#settings, cost: whole, calls, id });
    if (answer !== undefined) return answer.granted === true;
    return this.#remote.rejects ? false : this.#local.consume(whole);
  }
}
