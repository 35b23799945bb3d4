// Budgets: how many retries all callers of an upstream may make together.

import { ABOVE, callable, number, numbers, options, type Ranges, systemClock, WHOLE } from "../config/options.js";
import type { Clock } from "../types.js";
import { enter, micros, table } from "../wasm/core.js";
import type { Disposing } from "../wasm/dispose.js";
import { Handle } from "../wasm/handle.js";
import {
  budget_consume,
  budget_deposit,
  budget_ratio,
  budget_remaining,
  budget_rolling,
} from "../wasm/modules/core.js";

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
  clock?: Clock | undefined;
}

const RATIO: Ranges = {
  ratio: [undefined, 0, 0.001, 1],
  floorPerSec: [1, WHOLE, 0, 100_000],
  limit: [1000, WHOLE, 1, 100_000],
  initial: [10, WHOLE, 0, 100_000],
};
const ROLLING: Ranges = { maxRetries: [undefined, WHOLE, 0, 4096], windowMs: [60_000, ABOVE] };

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

  constructor(settings: RollingBudgetOptions | RatioBudgetOptions) {
    super();
    const path = "budget";
    const isRatio = (settings as Partial<RatioBudgetOptions> | null)?.ratio !== undefined;
    const ranges = isRatio ? RATIO : ROLLING;
    const given = options(path, settings, [...Object.keys(ranges), "clock"]);
    this.clock = callable<Clock>(`${path}.clock`, given["clock"]) ?? systemClock;
    enter();
    const [first, second, third = 0, initial = 0] = numbers(path, given, ranges) as [number, number, number?, number?];
    // What is not set fits under any limit.
    const start = given["initial"] === undefined ? Math.min(initial, third) : initial;
    const to: number[] = [];
    this.kind = isRatio ? "Ratio" : "Rolling";
    if (isRatio) {
      to[AT.Ratio.ratioMilli] = Math.round(first * 1000);
      to[AT.Ratio.floorPerSec] = second;
      to[AT.Ratio.limit] = third;
      to[AT.Ratio.initial] = start;
    } else {
      to[AT.Rolling.maxRetries] = first;
      to[AT.Rolling.window] = micros(second);
    }
    this.numbers = to;
  }

  /** @internal */
  override make(): number {
    if (this.numbers === undefined) throw new Error("budget: it was disposed of");
    table().set(this.numbers);
    const slot = this.kind === "Ratio" ? budget_ratio() : budget_rolling();
    // What could not be made now is made later.
    if (slot !== 0) this.numbers = undefined;
    return slot;
  }

  /** Takes so many retries, all or none; whether they were there. */
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

  /** Refuses every use from now on, and gives its memory back. An attempt in flight goes on: its success stands, and its failure is not retried. */
  dispose(): void {
    this.isDisposed = true;
    this.free();
    this.numbers = undefined;
  }
}

/** `using` disposes of it. */
export interface Budget extends Disposing {}
