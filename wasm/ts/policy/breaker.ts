// The circuit breaker: stops calling what is down.

import { FLAGS } from "../call/codes.js";
import {
  ABOVE,
  byClass,
  callable,
  classNumber,
  NULLABLE,
  number,
  numbers,
  options,
  type Ranges,
  systemClock,
  WHOLE,
  wrongType,
} from "../config/options.js";
import {
  type Admission,
  type CallResult,
  type CircuitState,
  type Clock,
  ERROR_CLASSES,
  type ErrorClass,
  STATES,
} from "../types.js";
import { checked, enter, micros, table } from "../wasm/core.js";
import type { Disposing } from "../wasm/dispose.js";
import { Handle } from "../wasm/handle.js";
import {
  breaker_admit,
  breaker_check,
  breaker_new,
  breaker_settle,
  breaker_state,
  breaker_switch,
} from "../wasm/modules/core.js";
import { Permits } from "./permits.js";
import type { RateWindow } from "./windows.js";

/** The settings of a breaker. */
export interface CircuitBreakerOptions {
  /** Opens at so many failures within the window, 1 to 255; 5 by default. */
  failureThreshold?: number | undefined;
  /** In milliseconds, 0.001 and up; 60,000 by default. */
  windowMs?: number | undefined;
  /** Counts a share in place of a number of failures: `rateOfCalls` or `rateOverTime`. */
  window?: RateWindow | undefined;
  /** How long it stays open before a probe, in milliseconds, 0.001 and up; 30,000 by default. */
  recoveryTimeoutMs?: number | undefined;
  /** Doubles the recovery time after each failed probe, up to this; null (the default) for no growth. */
  maxRecoveryTimeoutMs?: number | null | undefined;
  /** The classes that count; TRANSIENT and SERVER_ERROR by default. */
  tripOn?: readonly ErrorClass[] | undefined;
  /** Classes that are counted apart and open at a number of their own. */
  classThresholds?: { readonly [K in ErrorClass]?: number } | undefined;
  /** How long a probe may take before its place is given away, 0.001 ms and up; 60,000 by default. */
  leaseMs?: number | undefined;
  /** How many probes at once, 1 to 4; 1 by default. */
  halfOpenPermits?: number | undefined;
  /** How many probes must succeed, 1 to 15; 1 by default. */
  successesToClose?: number | undefined;
  /** The classes of a failed probe that open it anew; all by default. Any other shows that the upstream is alive, and counts like a success. */
  halfOpenOn?: readonly ErrorClass[] | undefined;
  /** Up to so much is added to each recovery time, at random, so that many clients do not probe together; in milliseconds, 0 and up; 0 by default. */
  recoveryJitterMs?: number | undefined;
  /** Whether a call asks again before each further attempt, and stops with CIRCUIT_OPEN if it has opened meanwhile; false by default. */
  checkBeforeRetry?: boolean | undefined;
  /**
   * A failure of RATE_LIMIT or SERVER_ERROR that says when to come back opens it for that long, at most for this, in
   * milliseconds, 0.001 and up; null (the default) for never.
   */
  openForHintMs?: number | null | undefined;
  clock?: Clock | undefined;
}

/** What opens it: how many failures within which time. */
const FAILURES: Ranges = { failureThreshold: [5, WHOLE, 1, 255], windowMs: [60_000, ABOVE] };
const REST: Ranges = {
  leaseMs: [60_000, ABOVE],
  halfOpenPermits: [1, WHOLE, 1, 4],
  successesToClose: [1, WHOLE, 1, 15],
};
const EXTRA: Ranges = { recoveryJitterMs: [0], openForHintMs: [NaN, ABOVE | NULLABLE] };
const OTHERS = "window recoveryTimeoutMs maxRecoveryTimeoutMs tripOn classThresholds halfOpenOn checkBeforeRetry clock";
const KEYS = [...OTHERS.split(" "), ...Object.keys({ ...FAILURES, ...REST, ...EXTRA })];
const DEFAULT_TRIPS = (1 << 5) | (1 << 6);
const ALL_CLASSES = (1 << 8) - 1;
/** What is done by hand, in the order of the core's numbers. */
const RESET = 0;
const ISOLATE = 1;
const TRIP = 2;

/** A circuit breaker, shared by every policy that calls the same upstream. */
export class CircuitBreaker extends Handle {
  /** The settings as the core takes them, by their places in `LAYOUT`, until it has or all is over. @internal */
  numbers: readonly number[] | undefined;
  /** @internal */
  readonly clock: Clock;
  readonly #window: RateWindow | undefined;
  /** Whether its recovery time takes a random number. */
  readonly #draws: boolean;
  #permits: Permits | undefined;

  constructor(settings: CircuitBreakerOptions = {}) {
    super();
    const path = "circuitBreaker";
    const given = options(path, settings, KEYS);
    this.clock = callable<Clock>(`${path}.clock`, given["clock"]) ?? systemClock;
    const window: RateWindow | undefined = (this.#window = given["window"]);
    if (window !== undefined && typeof window?.put !== "function") {
      throw wrongType(`${path}.window`, window, "a window: of rateOfCalls or rateOverTime");
    }
    for (const name of window === undefined ? [] : [...Object.keys(FAILURES), "classThresholds"]) {
      if (given[name] === undefined) continue;
      throw wrongType(`${path}.${name}`, given[name], "used with `window`, which counts a share: give one of them");
    }
    const to: number[] = [];
    to[AT.Breaker.tripOn] = bitsOf(`${path}.tripOn`, given["tripOn"], DEFAULT_TRIPS);
    to[AT.Breaker.halfOpenOn] = bitsOf(`${path}.halfOpenOn`, given["halfOpenOn"], ALL_CLASSES);
    const recovery = number(`${path}.recoveryTimeoutMs`, given["recoveryTimeoutMs"], [30_000, ABOVE]);
    to[AT.Breaker.recovery] = micros(recovery);
    const longest = number(`${path}.maxRecoveryTimeoutMs`, given["maxRecoveryTimeoutMs"], [NaN, NULLABLE, recovery]);
    to[AT.Breaker.longestRecovery] = micros(longest, 0);
    const [lease, permits, successes] = numbers(path, given, REST) as [number, number, number];
    to[AT.Breaker.lease] = micros(lease);
    to[AT.Breaker.permits] = permits;
    to[AT.Breaker.successes] = successes;
    const [jitter, longestHint] = numbers(path, given, EXTRA) as [number, number];
    this.#draws = jitter > 0;
    to[AT.Breaker.jitter] = micros(jitter);
    to[AT.Breaker.longestHint] = micros(longestHint, 0);
    to[AT.Breaker.checks] = flag(`${path}.checkBeforeRetry`, given["checkBeforeRetry"]);
    if (window !== undefined) window.put(`${path}.window`, to);
    else {
      const [threshold, ms] = numbers(path, given, FAILURES) as [number, number];
      const own = thresholds(`${path}.classThresholds`, given["classThresholds"]);
      to[AT.Failures.threshold] = threshold;
      to[AT.Failures.window] = micros(ms);
      own.forEach((one, index) => {
        to[AT.Failures.own + index] = one;
      });
      if (own.reduce((sum, one) => sum + Math.max(0, one - 1), threshold) > 255) {
        throw new RangeError(`${path}.classThresholds: all thresholds together are out of range: at most 255`);
      }
    }
    // It starts here, not at the first call, so that a page which forbids it learns of it in time.
    enter();
    // A copy, which has no room to spare.
    this.numbers = to.slice();
  }

  /** Which settings it has. @internal */
  get kind(): "Failures" | "Rate" {
    return this.#window === undefined ? "Failures" : "Rate";
  }

  /** @internal */
  override make(): number {
    const { numbers } = this;
    if (numbers === undefined) throw new Error("circuitBreaker: it was disposed of");
    table().set(numbers);
    const slot = this.#window?.made() ?? breaker_new();
    // What could not be made now is made later.
    if (slot !== 0) this.numbers = undefined;
    return slot;
  }

  /** The state, which changes by calls alone: after its recovery time it is open until one asks. */
  get state(): CircuitState {
    return STATES[breaker_state(this.entered)]!;
  }

  /** Asks for a call that you drive yourself; settle the permit with its result. */
  admit(): Admission<number> {
    const now = this.clock();
    const permit = breaker_admit(this.entered, now);
    if (permit === 0) return rejected();
    const flags = permit & FLAGS;
    return { ok: true, permit: this.#out.hand(checked(permit - flags)), halfOpened: flags === 1 };
  }

  get #out(): Permits {
    return (this.#permits ??= new Permits());
  }

  /** Takes a permit back, once; the new state, or null if it stayed the same. */
  settle(permit: number, result: CallResult): CircuitState | null {
    const number = result === "success" ? 0 : result === "cancelled" ? 1 : 2 + classNumber("settle", result);
    const now = this.clock();
    const slot = this.entered;
    const random = this.#draws ? Math.floor(Math.random() * 2 ** 32) : 0;
    return stateOf(breaker_settle(slot, this.#out.take(permit), number, random, now));
  }

  /** Opens by hand, as failures would: for the recovery time. The new state, or null if it stayed the same. */
  trip(): CircuitState | null {
    return this.#byHand(TRIP);
  }

  /** Opens by hand, until `reset`. The new state, or null if it stayed the same. */
  isolate(): CircuitState | null {
    return this.#byHand(ISOLATE);
  }

  /** Closes by hand and forgets all failures. The new state, or null if it stayed the same. */
  reset(): CircuitState | null {
    return this.#byHand(RESET);
  }

  #byHand(how: number): CircuitState | null {
    const now = this.clock();
    return stateOf(breaker_switch(this.entered, how, now));
  }

  /** Whether it would admit a call now; this changes nothing. @internal */
  get wouldAdmit(): boolean {
    const now = this.clock();
    return breaker_check(this.entered, now);
  }

  /** Refuses every use from now on, and gives its memory back. An attempt in flight goes on: its success stands, and its failure is not retried. */
  dispose(): void {
    this.isDisposed = true;
    this.free();
    this.numbers = undefined;
    this.#permits = undefined;
  }
}

/** `using` disposes of it. */
export interface CircuitBreaker extends Disposing {}

/** The state that the core says by its number plus 1; null for 0. */
export function stateOf(changed: number): CircuitState | null {
  return STATES[changed - 1] ?? null;
}

/** The rejection that the core has put into the table. */
export function rejected() {
  const told = table();
  const wait = told[1]!;
  return { ok: false, state: STATES[told[0]!]!, retryAfterMs: wait >= 0 ? wait : undefined } as const;
}

function bitsOf(path: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Array.isArray(value)) throw wrongType(path, value, "an array of classes");
  return value.reduce<number>((bits, name, index) => bits | (1 << classNumber(`${path}[${index}]`, name)), 0);
}

function flag(path: string, value: unknown): number {
  if (value !== undefined && typeof value !== "boolean") throw wrongType(path, value, "true or false");
  return value === true ? 1 : 0;
}

function thresholds(path: string, value: unknown): number[] {
  const numbers = ERROR_CLASSES.map(() => 0);
  for (const [index, at, own] of byClass(path, value)) numbers[index] = number(at, own, [undefined, WHOLE, 1, 255]);
  return numbers;
}
