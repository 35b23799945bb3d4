// Windows of a rate: a breaker with one opens at a share of failures in place of a number.

import { ABOVE, number, numbers, onlyNumbers, options, WHOLE } from "../config/options.js";
import { micros } from "../wasm/core.js";
import { enterExtras } from "../wasm/extras.js";
import { window_new } from "../wasm/modules/extras.js";

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

const RATE = [undefined, 0, 0.001, 1] as const;
const CALLS = { size: [undefined, WHOLE, 1, 1024], rate: RATE } as const;
const TIME = { ms: [undefined, 0, 0.01], rate: RATE, minCalls: [undefined, WHOLE, 1, 65_535] } as const;
const SLOW = { afterMs: [undefined, ABOVE], rate: RATE } as const;

/** A window of a breaker, made by `rateOfCalls` or `rateOverTime`. */
export class RateWindow {
  readonly kind: "calls" | "time";
  readonly #settings: object;

  /** @internal */
  constructor(kind: "calls" | "time", settings: object) {
    this.kind = kind;
    this.#settings = settings;
  }

  /** Puts its settings where the core reads them. @internal */
  put(path: string, to: number[]): void {
    const isCalls = this.kind === "calls";
    const ranges = isCalls ? CALLS : TIME;
    const given = options(path, this.#settings, [...Object.keys(ranges), isCalls ? "minCalls" : "slow"]);
    const [length, rate, most] = numbers(path, given, ranges) as [number, number, number];
    const least = isCalls ? number(`${path}.minCalls`, given["minCalls"], [undefined, WHOLE, 1, length]) : most;
    const slow = isCalls || given["slow"] === undefined ? [NaN, 1] : onlyNumbers(`${path}.slow`, given["slow"], SLOW);
    to[AT.Rate.size] = isCalls ? length : 0;
    to[AT.Rate.window] = isCalls ? 0 : micros(length);
    to[AT.Rate.rateMilli] = Math.round(rate * 1000);
    to[AT.Rate.minCalls] = least;
    to[AT.Rate.slowAfter] = micros(slow[0]!);
    to[AT.Rate.slowRateMilli] = Math.round(slow[1]! * 1000);
  }

  /** Its settings, and its `kind`. */
  toJSON(): object {
    return { ...this.#settings, kind: this.kind };
  }

  /** Makes a breaker of the settings in the table. @internal */
  made(): number {
    enterExtras();
    return window_new();
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
