// A breaker and a budget that processes share in a store.

import { number, WHOLE } from "../config/checks.js";
import { refuse, show } from "../config/issues.js";
import { MOST_CALLS } from "../durable/object.js";
import { CircuitBreaker, type CircuitBreakerOptions } from "../policy/breaker.js";
import { Budget, type RatioBudgetOptions, type RollingBudgetOptions } from "../policy/budget.js";
import type { Admission, CallResult, Circuit, CircuitState, Pool } from "../types.js";
import { parted, type SharedOptions, SharedState } from "./state.js";
import type { Moment, Store } from "./store.js";

/** The right to make a call: from the state of this moment the core admits it again, with the same permit. */
class SharedPermit {
  /** Whether it has not gone back. */
  isOut = true;
  /** @internal */
  constructor(
    /** The state that admitted it. @internal */
    readonly moment: Moment,
    /** Whether a closed breaker admitted it. @internal */
    readonly isClosed: boolean,
  ) {}
}

/** The options of a breaker; its time is that of the store. */
export type SharedBreakerOptions = SharedOptions &
  Omit<CircuitBreakerOptions, "clock" | "checkBeforeRetry" | "openForHintMs">;

/** A breaker whose state is in a store that processes share. */
export class SharedBreaker implements Circuit<SharedPermit> {
  readonly #state: SharedState<CircuitBreaker>;
  /** Whether a call that a closed breaker admitted changes nothing by its success. */
  readonly #countsFailures: boolean;

  /** A handle to the state of this key: a store, and options that are checked. */
  constructor(store: Store, settings: SharedBreakerOptions) {
    const [sharing, own] = parted("sharedBreaker", settings);
    for (const name of ["checkBeforeRetry", "openForHintMs"] as const) {
      const given = (own as CircuitBreakerOptions)[name];
      // Both need an answer of the store in the middle of a call.
      if (given) {
        const expected = "an option here: calls ask the store when they begin and end alone";
        refuse(`sharedBreaker.${name}`, given, expected);
      }
    }
    this.#state = new SharedState("sharedBreaker", store, "breaker", sharing, (clock) => {
      return new CircuitBreaker({ ...own, clock });
    });
    this.#countsFailures = (own as CircuitBreakerOptions).window === undefined;
  }

  /** Asks the store; what `whenUnreachable` says if it does not answer in time. */
  admit(): Promise<Admission<SharedPermit>> {
    const breaker = this.#state.scratch;
    let taken: number | undefined;
    return this.#state.ask<Admission<SharedPermit>>({
      decide(moment) {
        const admission = breaker.admit();
        if (!admission.ok) return admission;
        taken = admission.permit;
        return { ...admission, permit: new SharedPermit(moment, breaker.state === "closed") };
      },
      release() {
        if (taken !== undefined) breaker.settle(taken, "cancelled");
        taken = undefined;
      },
      otherwise: { ok: false, state: "open", retryAfterMs: 0 },
    });
  }

  /** Takes the permit back; the new state, or null if it stayed the same or the store does not answer in time. */
  async settle(permit: SharedPermit, result: CallResult): Promise<CircuitState | null> {
    if (!(permit instanceof SharedPermit) || !permit.isOut) {
      throw new TypeError(`settle: ${show(permit)} is not a permit of this breaker, or it was settled before`);
    }
    permit.isOut = false;
    const changesNothing = result === "cancelled" || (result === "success" && this.#countsFailures);
    if (permit.isClosed && changesNothing) return null;
    const state = this.#state;
    return state.ask<CircuitState | null>({
      decide(moment) {
        state.set(permit.moment);
        const admission = state.scratch.admit();
        state.set(moment);
        return admission.ok ? state.scratch.settle(admission.permit, result) : null;
      },
      otherwise: null,
    });
  }
}

/** The options of a budget; its time is that of the store. */
export type SharedBudgetOptions = SharedOptions &
  (Omit<RollingBudgetOptions, "clock"> | Omit<RatioBudgetOptions, "clock">);

/** A budget whose state is in a store that processes share. */
export class SharedBudget implements Pool {
  readonly #state: SharedState<Budget>;
  /** Calls that the store has no count of. */
  #calls = 0;

  /** A handle to the state of this key: a store, and options that are checked. */
  constructor(store: Store, settings: SharedBudgetOptions) {
    const [sharing, own] = parted("sharedBudget", settings);
    this.#state = new SharedState("sharedBudget", store, "budget", sharing, (clock) => {
      return new Budget({ ...(own as RollingBudgetOptions | RatioBudgetOptions), clock });
    });
  }

  /**
   * A call begins: a budget in proportion to calls earns from it. The store counts it with the next retry that is
   * asked for, so that a call without a retry costs no command; at most 100,000 calls are counted at once.
   */
  deposit(): void {
    if (this.#calls < MOST_CALLS) this.#calls += 1;
  }

  /** Takes so many retries, 1 by default, all or none; whether they were there. What `whenUnreachable` says if the store does not answer in time. */
  async consume(cost = 1): Promise<boolean> {
    const whole = number("cost", cost, [undefined, WHOLE, 0, 2 ** 32 - 1]);
    const budget = this.#state.scratch;
    // Those of a question that is not answered are lost: rather too few retries than too many.
    const calls = this.#calls;
    this.#calls = 0;
    return this.#state.ask<boolean>({
      decide() {
        for (let n = 0; n < calls; n += 1) budget.deposit();
        return budget.consume(whole);
      },
      otherwise: false,
    });
  }
}
