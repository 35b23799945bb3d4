// Budgets: how many retries all callers of an upstream may make together.

import { core, owned } from "./core.js";
import { callable, number, options, systemClock } from "./options.js";
import type { Clock } from "./types.js";

/** So many retries within a rolling window. */
export interface RollingBudgetOptions {
  /** 0 to 4,096. */
  maxRetries: number;
  /** In milliseconds, 0.001 and up; 60,000 by default. */
  windowMs?: number | undefined;
  clock?: Clock | undefined;
}

/** Retries in proportion to calls. */
export interface RatioBudgetOptions {
  /** What share of a retry each call earns, 0.001 to 1. */
  ratio: number;
  /** Besides, so many are earned each second; 0 by default. */
  minPerSecond?: number | undefined;
  /** The most that is saved up, 1 to 100,000; 1,000 by default. */
  limit?: number | undefined;
  clock?: Clock | undefined;
}

/** A pool of retries, shared by every policy that calls the same upstream. */
export class Budget {
  #slot = 0;
  /** Its kind and its settings as the core takes them, until it has or all is over. @internal */
  made: readonly ["ratio" | "rolling", number, number, number] | undefined;
  /** @internal */
  readonly clock: Clock;

  constructor(settings: RollingBudgetOptions | RatioBudgetOptions) {
    const path = "budget";
    const isRatio = (settings as Partial<RatioBudgetOptions> | null)?.ratio !== undefined;
    const keys = isRatio ? ["ratio", "minPerSecond", "limit", "clock"] : ["maxRetries", "windowMs", "clock"];
    const given = options(path, settings, keys);
    this.clock = callable<Clock>(`${path}.clock`, given["clock"]) ?? systemClock;
    core();
    if (isRatio) {
      const ratio = number(`${path}.ratio`, given["ratio"], { min: 0.001, max: 1 });
      const floor = number(`${path}.minPerSecond`, given["minPerSecond"], { max: 100_000, integer: true }, 0);
      const most = number(`${path}.limit`, given["limit"], { min: 1, max: 100_000, integer: true }, 1000);
      this.made = ["ratio", Math.round(ratio * 1000), floor, most];
    } else {
      const most = number(`${path}.maxRetries`, given["maxRetries"], { max: 4096, integer: true });
      const window = number(`${path}.windowMs`, given["windowMs"], { above: true }, 60_000);
      this.made = ["rolling", most, window, 0];
    }
  }

  /** Where the core has it; a budget that is never asked takes no room there. @internal */
  get slot(): number {
    if (this.#slot === 0) {
      if (this.made === undefined) throw new Error("budget: it was disposed of");
      const [kind, first, second, third] = this.made;
      this.made = undefined;
      this.#slot = owned(this, kind === "ratio" ? core().budget_ratio(first, second, third) : core().budget_rolling(first, second));
    }
    return this.#slot;
  }

  /** Takes so many retries, all or none; whether they were there. */
  consume(cost = 1): boolean {
    const whole = number("cost", cost, { max: 2 ** 32 - 1, integer: true });
    return core().budget_consume(this.slot, whole, this.clock()) === 1;
  }

  /** A call was made: a budget in proportion to calls earns from it. Policies do this themselves. */
  deposit(): void {
    core().budget_deposit(this.slot);
  }

  /** How many retries there are now. */
  remaining(): number {
    return core().budget_remaining(this.slot, this.clock());
  }

  /** Refuses every use from now on. */
  dispose(): void {
    this.#slot = 0;
    this.made = undefined;
  }
}
