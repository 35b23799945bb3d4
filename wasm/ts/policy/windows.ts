// Windows of a rate: a breaker with one opens at a share of failures in place of a number.

import { type Check, type Checks, MICROSECOND, number, options, WHOLE } from "../config/checks.js";
import { micros } from "../wasm/core.js";
import { enterExtras } from "../wasm/extras.js";
import { window_new } from "../wasm/modules/extras.js";
import { COPY, HERE } from "./copies.js";

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

const RATE: Check = [undefined, 0, 0.001, 1];
const MOST_CALLS = 1024;
const CALLS: Checks = {
  size: [undefined, WHOLE, 1, MOST_CALLS],
  rate: RATE,
  minCalls: (path, value, { size }) => number(path, value, [undefined, WHOLE, 1, size || MOST_CALLS]),
};
const SLOW: Checks = { afterMs: [undefined, 0, MICROSECOND], rate: RATE };
const TIME: Checks = {
  ms: [undefined, 0, 0.01],
  rate: RATE,
  minCalls: [undefined, WHOLE, 1, 65_535],
  slow: (path, value) => (value === undefined ? value : options(path, value, SLOW)),
};

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

  /** @internal */
  get [COPY](): object {
    return HERE;
  }

  /** Puts its settings where the core reads them. @internal */
  put(path: string, to: number[]): void {
    const isCalls = this.kind === "calls";
    const own = options(path, this.#settings, isCalls ? CALLS : TIME);
    const { afterMs, rate } = own["slow"] ?? { afterMs: NaN, rate: 1 };
    to[AT.Rate.size] = isCalls ? own["size"] : 0;
    to[AT.Rate.window] = isCalls ? 0 : micros(own["ms"]);
    to[AT.Rate.rateMilli] = Math.round(own["rate"] * 1000);
    to[AT.Rate.minCalls] = own["minCalls"];
    to[AT.Rate.slowAfter] = micros(afterMs);
    to[AT.Rate.slowRateMilli] = Math.round(rate * 1000);
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
