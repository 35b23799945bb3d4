// A breaker and a budget that processes share in a store.

import { number, WHOLE } from "../config/checks.js";
import { refuse, show } from "../config/issues.js";
import { MOST_CALLS } from "../durable/object.js";
import { snapshot } from "../durable/snapshot.js";
import { CircuitBreaker, type CircuitBreakerOptions } from "../policy/breaker.js";
import { Budget, type RatioBudgetOptions, type RollingBudgetOptions } from "../policy/budget.js";
import type { Admission, CallResult, Circuit, CircuitState, Clock, Pool } from "../types.js";
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
    /** The permit of the breaker of this process alone. @internal */
    readonly own: number | undefined,
  ) {}
}

/** The options of a breaker; its time is that of the store. */
export type SharedBreakerOptions = SharedOptions &
  Omit<CircuitBreakerOptions, "clock" | "checkBeforeRetry" | "openForHintMs"> & {
    /**
     * How many failures of this handle count for the other processes within any window, so that one bad process does not open
     * the breaker for all: 1 and up, less than each threshold; no bound by default. A failure beyond that counts for this process
     * alone, whose own calls are rejected when all its failures reach the threshold. The failure of a probe counts always.
     */
    maxOwnFailures?: number | undefined;
  };

/** What counts the failures of this process. */
interface Own {
  readonly breaker: CircuitBreaker;
  /** How many more of its failures the others may know of. */
  readonly share: Budget;
}

/** A breaker whose state is in a store that processes share. */
export class SharedBreaker implements Circuit<SharedPermit> {
  readonly #state: SharedState<CircuitBreaker>;
  /** Whether a call that a closed breaker admitted changes nothing by its success. */
  readonly #countsFailures: boolean;
  readonly #own: Own | undefined;

  /** A handle to the state of this key: a store, and options that are checked. */
  constructor(store: Store, settings: SharedBreakerOptions) {
    const [sharing, { maxOwnFailures, ...own }] = parted("sharedBreaker", settings);
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
    this.#countsFailures = own.window === undefined;
    if (maxOwnFailures !== undefined) {
      this.#own = { breaker: new CircuitBreaker(own), share: shareOf(maxOwnFailures, own, this.#state.scratch.clock) };
    }
  }

  /** Asks the store; what `whenUnreachable` says if it does not answer in time. */
  async admit(): Promise<Admission<SharedPermit>> {
    const ownBreaker = this.#own?.breaker;
    const own = ownBreaker?.admit();
    if (own?.ok === false) return own;
    const breaker = this.#state.scratch;
    let taken: number | undefined;
    const admission = await this.#state.ask<Admission<SharedPermit>>({
      decide(moment) {
        const admission = breaker.admit();
        if (!admission.ok) return admission;
        taken = admission.permit;
        const halfOpened = admission.halfOpened || own?.halfOpened === true;
        return { ok: true, permit: new SharedPermit(moment, breaker.state === "closed", own?.permit), halfOpened };
      },
      release() {
        if (taken !== undefined) breaker.settle(taken, "cancelled");
        taken = undefined;
      },
      otherwise: { ok: false, state: "open", retryAfterMs: 0 },
    });
    if (!admission.ok && own !== undefined) ownBreaker!.settle(own.permit, "cancelled");
    return admission;
  }

  /** Takes the permit back; the new state, or null if it stayed the same or the store does not answer in time. */
  async settle(permit: SharedPermit, result: CallResult): Promise<CircuitState | null> {
    if (!(permit instanceof SharedPermit) || !permit.isOut) {
      throw new TypeError(`settle: ${show(permit)} is not a permit of this breaker, or it was settled before`);
    }
    permit.isOut = false;
    const ownState = permit.own === undefined ? null : this.#own!.breaker.settle(permit.own, result);
    const changesNothing = result === "cancelled" || (result === "success" && this.#countsFailures);
    if (permit.isClosed && changesNothing) return ownState;
    const state = this.#state;
    const share = permit.isClosed ? this.#own?.share : undefined;
    let hasShare: boolean | undefined;
    const changed = await state.ask<CircuitState | null>({
      decide(moment) {
        state.set(permit.moment);
        const admission = state.scratch.admit();
        state.set(moment);
        if (!admission.ok) return null;
        const changed = state.scratch.settle(admission.permit, result);
        if (share === undefined || snapshot(state.scratch).data === moment.data) return changed;
        // Once, however often the state is read anew.
        hasShare ??= share.consume();
        if (hasShare) return changed;
        state.set(moment);
        return null;
      },
      otherwise: null,
    });
    return changed ?? ownState;
  }
}

/** So many failures in any window of the breaker. */
function shareOf(maxOwnFailures: number, own: CircuitBreakerOptions, clock: Clock): Budget {
  const { window, failureThreshold = 5, classThresholds = {}, windowMs } = own;
  const path = "sharedBreaker.maxOwnFailures";
  if (window !== undefined) refuse(path, maxOwnFailures, "used with `window`, which counts a share");
  const thresholds = [failureThreshold, ...Object.values(classThresholds).filter((one) => one !== 0)];
  const least = Math.min(...thresholds);
  if (least < 2) refuse(path, maxOwnFailures, "used with a threshold of 1: the first failure opens the breaker");
  return new Budget({ maxRetries: number(path, maxOwnFailures, [undefined, WHOLE, 1, least - 1]), windowMs, clock });
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
