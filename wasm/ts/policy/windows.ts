// Windows of a rate: a breaker with one opens at a share of failures in place of a number.

import { ABOVE, number, numbers, onlyNumbers, options, WHOLE } from "../config/options.js";
import { enterExtras } from "../wasm/extras.js";
import { window_new } from "../wasm/modules/extras.js";

/** What every window of a rate says. */
interface Share {
  /** Opens when so large a share of the calls failed, 0.001 to 1. */
  rate: number;
  /** Opens after so many calls at the earliest, 1 and up: to `size`, or to 65,535. */
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
  /** Opens, too, when `rate` of the calls had an attempt of `afterMs` or longer; by default it does not. */
  slow?:
    | {
        /** From how long on an attempt counts as slow, in milliseconds, 0.001 and up. */
        afterMs: number;
        /** Opens when so large a share of the calls was slow, 0.001 to 1. */
        rate: number;
      }
    | undefined;
}

const RATE = [undefined, 0, 0.001, 1] as const;
const CALLS = { size: [undefined, WHOLE, 1, 1024], rate: RATE } as const;
const TIME = { ms: [undefined, 0, 0.01], rate: RATE, minCalls: [undefined, WHOLE, 1, 65_535] } as const;
const SLOW = { afterMs: [undefined, ABOVE], rate: RATE } as const;

/** A window of a breaker, made by `rateOfCalls` or `rateOverTime`. */
export class RateWindow {
  /** Whether it counts the last calls, or the calls of the last milliseconds. */
  readonly kind: "calls" | "time";
  readonly #settings: object;

  /** @internal */
  constructor(kind: "calls" | "time", settings: object) {
    this.kind = kind;
    this.#settings = settings;
  }

  /** The settings as the core takes them: the kind and three numbers, and two about slow calls. @internal */
  numbers(path: string): [own: number[], slow: number[]] {
    if (this.kind === "calls") {
      const given = options(path, this.#settings, [...Object.keys(CALLS), "minCalls"]);
      const [size, rate] = numbers(path, given, CALLS) as [number, number];
      const minCalls = number(`${path}.minCalls`, given["minCalls"], [undefined, WHOLE, 1, size]);
      return [
        [1, size, Math.round(rate * 1000), minCalls],
        [NaN, 0],
      ];
    }
    const given = options(path, this.#settings, [...Object.keys(TIME), "slow"]);
    const [ms, rate, minCalls] = numbers(path, given, TIME) as [number, number, number];
    const slow = given["slow"] === undefined ? [NaN, 0] : onlyNumbers(`${path}.slow`, given["slow"], SLOW);
    return [
      [2, ms, Math.round(rate * 1000), minCalls],
      [slow[0]!, Math.round(slow[1]! * 1000)],
    ];
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
