// Windows of a rate: a breaker with one opens at a share of failures in place of a number.

import { more } from "./more.js";
import { number, options } from "./options.js";

/** What every window of a rate says. */
interface Share {
  /** Opens when so large a share of the calls failed, 0.001 to 1. */
  rate: number;
  /** Opens after so many calls at the earliest. */
  minCalls: number;
}

/** The settings of `rateOfCalls`. */
export interface CallsWindow extends Share {
  /** Counts the last so many calls, 1 to 1,024; `minCalls` is at most this. */
  size: number;
}

/** The settings of `rateOverTime`. */
export interface TimeWindow extends Share {
  /** Counts the calls of so many milliseconds, 0.01 and up. */
  ms: number;
  /** Opens, too, when `rate` of the calls had an attempt of `afterMs` or longer. */
  slow?: { afterMs: number; rate: number } | undefined;
}

/** A window of a breaker, made by `rateOfCalls` or `rateOverTime`. */
export class RateWindow {
  readonly kind: "calls" | "time";
  readonly #settings: object;

  /** @internal */
  constructor(kind: "calls" | "time", settings: object) {
    this.kind = kind;
    this.#settings = settings;
  }

  /** The settings as the core takes them: the kind and three numbers, and two about slow calls. @internal */
  numbers(path: string): [own: number[], slow: number[]] {
    const own = this.kind === "calls" ? ["size"] : ["ms", "slow"];
    const given = options(path, this.#settings, ["rate", "minCalls", ...own]);
    const rate = Math.round(number(`${path}.rate`, given["rate"], { min: 0.001, max: 1 }) * 1000);
    const least = (max: number) => number(`${path}.minCalls`, given["minCalls"], { min: 1, max, integer: true });
    if (this.kind === "time") {
      const minCalls = least(65_535);
      const ms = number(`${path}.ms`, given["ms"], { min: 0.01 });
      return [[2, ms, rate, minCalls], slow(`${path}.slow`, given["slow"])];
    }
    const size = number(`${path}.size`, given["size"], { min: 1, max: 1024, integer: true });
    return [[1, size, rate, least(size)], []];
  }

  /** Its settings, and its `kind`. */
  toJSON(): object {
    return { ...this.#settings, kind: this.kind };
  }

  /** Makes a breaker of the settings in the table. @internal */
  made(): number {
    return more().window_new();
  }
}

/** A share of failures among the last calls. */
export function rateOfCalls(settings: CallsWindow): RateWindow {
  return new RateWindow("calls", settings);
}

/** A share of failures, or of slow calls, among the calls of the last milliseconds. */
export function rateOverTime(settings: TimeWindow): RateWindow {
  return new RateWindow("time", settings);
}

/** A window as JSON has it: its settings, and its `kind`. @internal */
export function windowOf(written: unknown): unknown {
  const { kind, ...settings } = (written ?? {}) as Record<string, unknown>;
  return kind === "calls" || kind === "time" ? new RateWindow(kind, settings) : written;
}

function slow(path: string, value: unknown): number[] {
  if (value === undefined) return [NaN, 0];
  const { afterMs, rate } = options(path, value, ["afterMs", "rate"]);
  const share = number(`${path}.rate`, rate, { min: 0.001, max: 1 });
  return [number(`${path}.afterMs`, afterMs, { above: true }), Math.round(share * 1000)];
}
