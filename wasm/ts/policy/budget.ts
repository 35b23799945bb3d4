// Budgets: how many retries all callers of an upstream may make together.

import { type Checks, clock, MICROSECOND, number, options, WHOLE } from "../config/checks.js";
import type { Clock } from "../types.js";
import { enter, micros, table } from "../wasm/core.js";
import { enterGuards } from "../wasm/guards.js";
import { Handle } from "../wasm/handle.js";
import {
  budget_consume,
  budget_deposit,
  budget_ratio,
  budget_remaining,
  budget_rolling,
} from "../wasm/modules/guards.js";
import type { Disposing } from "../wasm/using.js";

/** So many retries within a rolling window. */
export interface RollingBudgetOptions {
  /** How many retries all calls may make within the window, 0 to 4,096. */
  maxRetries: number;
  /** How long the window is, in milliseconds, 0.001 and up; 60,000 by default. */
  windowMs?: number | undefined;
  /** The present in milliseconds, from any origin; the time of the runtime by default. */
  clock?: Clock | undefined;
}

/** Retries in proportion to calls. */
export interface RatioBudgetOptions {
  /** What share of a retry each call earns, 0.001 to 1. */
  ratio: number;
  /**
   * So many are there at the start, at most the limit: 10 by default, and 1 for each new key of a `Keyed` map.
   * Every start grants them again, that of an isolate, too; restore a snapshot, use a `DurableBudget`, or set 0
   * where starts are frequent.
   */
  initial?: number | undefined;
  /** Besides, so many are earned each second: 1 by default, and 0 for each key of a `Keyed` map. */
  floorPerSec?: number | undefined;
  /** The most that is saved up, 1 to 100,000; 1,000 by default. */
  limit?: number | undefined;
  /** The present in milliseconds, from any origin; the time of the runtime by default. */
  clock?: Clock | undefined;
}

const MOST = 100_000;
const RATIO: Checks = {
  ratio: [undefined, 0, 0.001, 1],
  floorPerSec: [1, WHOLE, 0, MOST],
  limit: [1000, WHOLE, 1, MOST],
  // What is not set fits under any limit.
  initial: (path, value, { limit }) => number(path, value, [Math.min(10, limit), WHOLE, 0, MOST]),
  clock,
};
const ROLLING: Checks = { maxRetries: [undefined, WHOLE, 0, 4096], windowMs: [60_000, 0, MICROSECOND], clock };

/** The settings of a key's budget: what a ratio leaves out has other defaults than that of one budget for all. @internal */
export function ofKey(settings: RollingBudgetOptions | RatioBudgetOptions): RollingBudgetOptions | RatioBudgetOptions {
  if (!("ratio" in settings)) return settings;
  const { initial = 1, floorPerSec = 0 } = settings;
  return { ...settings, initial, floorPerSec };
}

/** A pool of retries, shared by every policy that calls the same upstream. */
export class Budget extends Handle {
  /** Which settings it has. @internal */
  readonly kind: "Ratio" | "Rolling";
  /** The settings as the core takes them, by their places in `LAYOUT`, until it has or all is over. @internal */
  numbers: readonly number[] | undefined;
  /** @internal */
  readonly clock: Clock;

  /** A budget of checked options: a TypeError or a RangeError names the wrong one by its path. */
  constructor(settings: RollingBudgetOptions | RatioBudgetOptions) {
    super();
    const isRatio = (settings as Partial<RatioBudgetOptions> | null)?.ratio !== undefined;
    const own = options("budget", settings, isRatio ? RATIO : ROLLING);
    this.clock = own["clock"];
    enter();
    const to: number[] = [];
    this.kind = isRatio ? "Ratio" : "Rolling";
    if (isRatio) {
      to[AT.Ratio.ratioMilli] = Math.round(own["ratio"] * 1000);
      to[AT.Ratio.floorPerSec] = own["floorPerSec"];
      to[AT.Ratio.limit] = own["limit"];
      to[AT.Ratio.initial] = own["initial"];
    } else {
      to[AT.Rolling.maxRetries] = own["maxRetries"];
      to[AT.Rolling.window] = micros(own["windowMs"]);
    }
    this.numbers = to;
  }

  /** @internal */
  override make(): number {
    if (this.numbers === undefined) throw new Error("budget: it was disposed of");
    enterGuards();
    table().set(this.numbers);
    const slot = this.kind === "Ratio" ? budget_ratio() : budget_rolling();
    // What could not be made now is made later.
    if (slot !== 0) this.numbers = undefined;
    return slot;
  }

  /** Takes so many retries, 0 to 4,294,967,295 and 1 by default, all or none; whether they were there. */
  consume(cost = 1): boolean {
    const whole = number("cost", cost, [1, WHOLE, 0, 2 ** 32 - 1]);
    const now = this.clock();
    return budget_consume(this.entered, whole, now);
  }

  /** A call was made: a budget in proportion to calls earns from it. Policies do this themselves. */
  deposit(): void {
    budget_deposit(this.entered);
  }

  /** How many retries there are now. */
  remaining(): number {
    const now = this.clock();
    return budget_remaining(this.entered, now);
  }

  /** What is left as plain data, which consoles show, too. */
  toJSON(): {
    /** How many retries there are now; absent after `dispose`. */
    readonly remaining?: number;
  } {
    return this.isDisposed ? {} : { remaining: this.remaining() };
  }

  /** Refuses every use from now on, and gives its memory back. An attempt in flight goes on: its success stands, and its failure is not retried. */
  dispose(): void {
    this.isDisposed = true;
    this.free();
    this.numbers = undefined;
  }
}

/** `using` disposes of it. */
export interface Budget extends Disposing {}
