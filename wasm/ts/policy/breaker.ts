// The circuit breaker: stops calling what is down.

import { FLAGS } from "../call/codes.js";
import { notify } from "../call/hooks.js";
import {
  byClass,
  type Check,
  type Checks,
  classNumber,
  clock,
  MICROSECOND,
  NULLABLE,
  number,
  options,
  optionValue,
  WHOLE,
} from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type { Admission, CallResult, CircuitState, Clock, ErrorClass, Hooks, PolicyEvent } from "../types.js";
import { checked, enter, micros, table } from "../wasm/core.js";
import { enterGuards } from "../wasm/guards.js";
import { Handle } from "../wasm/handle.js";
import {
  breaker_admit,
  breaker_check,
  breaker_counts,
  breaker_new,
  breaker_settle,
  breaker_state,
  breaker_switch,
} from "../wasm/modules/guards.js";
import { STATE_EVENTS, STATES } from "../wasm/modules/names.js";
import type { Disposing } from "../wasm/using.js";
import { isForeign } from "./copies.js";
import { Permits } from "./permits.js";
import type { RateWindow } from "./windows.js";

/** The settings of a breaker. */
export interface CircuitBreakerOptions {
  /** Opens at so many failures within the window, 1 to 255; 5 by default. */
  failureThreshold?: number | undefined;
  /** Within how long they count, in milliseconds, 0.001 and up; 60,000 by default. */
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
  /** The present in milliseconds, from any origin; the time of the runtime by default. */
  clock?: Clock | undefined;
}

/** What a breaker's JSON says. */
export interface BreakerStatus {
  /** The state; "disposed" after `dispose`. */
  readonly state: CircuitState | "disposed";
  /** The failures in its window. */
  readonly failures?: number;
  /** The calls in its window, if it counts a share of them. */
  readonly calls?: number;
  /** Unless it is closed: in how many milliseconds it lets a probe through, 0 for now; null if that is not known, as of an isolated breaker. */
  readonly nextProbeMs?: number | null;
}

const DEFAULT_TRIPS = (1 << 5) | (1 << 6);
const ALL_CLASSES = (1 << 8) - 1;
const CHECKS: Checks = {
  clock,
  window: (path, value) =>
    value === undefined || (typeof value?.put === "function" && !isForeign(value))
      ? value
      : refuse(path, value, "a window: of rateOfCalls or rateOverTime"),
  failureThreshold: /* @__PURE__ */ counted([5, WHOLE, 1, 255]),
  windowMs: /* @__PURE__ */ counted([60_000, 0, MICROSECOND]),
  classThresholds: /* @__PURE__ */ counted(thresholds),
  tripOn: (path, value) => bitsOf(path, value, DEFAULT_TRIPS),
  recoveryTimeoutMs: [30_000, 0, MICROSECOND],
  maxRecoveryTimeoutMs: (path, value, { recoveryTimeoutMs }) => number(path, value, [NaN, NULLABLE, recoveryTimeoutMs]),
  leaseMs: [60_000, 0, MICROSECOND],
  halfOpenPermits: [1, WHOLE, 1, 4],
  successesToClose: [1, WHOLE, 1, 15],
  halfOpenOn: (path, value) => bitsOf(path, value, ALL_CLASSES),
  recoveryJitterMs: [0],
  checkBeforeRetry: "boolean",
  openForHintMs: [NaN, NULLABLE, MICROSECOND],
};
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
  #listeners: Set<Hooks> | undefined;

  /** A closed breaker of checked options: a TypeError or a RangeError names the wrong one by its path. */
  constructor(settings: CircuitBreakerOptions = {}) {
    super();
    const path = "circuitBreaker";
    const own = options(path, settings, CHECKS);
    this.clock = own["clock"];
    const window: RateWindow | undefined = (this.#window = own["window"]);
    const { failureThreshold, classThresholds, recoveryJitterMs } = own;
    this.#draws = recoveryJitterMs > 0;
    const to: number[] = [];
    to[AT.Breaker.tripOn] = own["tripOn"];
    to[AT.Breaker.halfOpenOn] = own["halfOpenOn"];
    to[AT.Breaker.recovery] = micros(own["recoveryTimeoutMs"]);
    to[AT.Breaker.longestRecovery] = micros(own["maxRecoveryTimeoutMs"], 0);
    to[AT.Breaker.lease] = micros(own["leaseMs"]);
    to[AT.Breaker.permits] = own["halfOpenPermits"];
    to[AT.Breaker.successes] = own["successesToClose"];
    to[AT.Breaker.jitter] = micros(recoveryJitterMs);
    to[AT.Breaker.longestHint] = micros(own["openForHintMs"], 0);
    to[AT.Breaker.checks] = own["checkBeforeRetry"] ? 1 : 0;
    if (window !== undefined) window.put(`${path}.window`, to);
    else {
      to[AT.Failures.threshold] = failureThreshold;
      to[AT.Failures.window] = micros(own["windowMs"]);
      classThresholds.forEach((one: number, index: number) => {
        to[AT.Failures.own + index] = one;
      });
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
    enterGuards();
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

  /**
   * Calls `listener` with each new state, whichever policy or hand has changed it, until what this returns is called: for
   * user interfaces (`useSyncExternalStore`), logs and metrics. Time alone changes no state.
   */
  subscribe(listener: (state: CircuitState) => unknown): () => void {
    if (typeof listener !== "function") refuse("circuitBreaker.subscribe", listener, "a function");
    // The same function may listen twice.
    const one = { onEvent: ({ state }: PolicyEvent) => listener(state!) };
    const listeners = (this.#listeners ??= new Set());
    listeners.add(one);
    return () => {
      listeners.delete(one);
    };
  }

  /** Notifies who listens of a new state, if there is one. @internal */
  changed(state: CircuitState | null): CircuitState | null {
    if (state !== null && this.#listeners !== undefined) {
      const event = STATE_EVENTS[STATES.indexOf(state)]!;
      notify([...this.#listeners], { event, attempt: 0, sleepMs: 0, elapsedMs: 0, state });
    }
    return state;
  }

  /** The state as plain data, which consoles show, too; nothing changes by it. */
  toJSON(): BreakerStatus {
    if (this.isDisposed) return { state: "disposed" };
    const { state } = this;
    const now = this.clock();
    const slot = this.entered;
    const failures = breaker_counts(slot, now);
    const calls = table()[0]!;
    const isOpen = !breaker_check(slot, now);
    const wait = table()[1]!;
    return {
      state,
      failures,
      ...(Number.isNaN(calls) ? {} : { calls }),
      ...(state === "closed" ? {} : { nextProbeMs: isOpen ? (wait >= 0 ? wait : null) : 0 }),
    };
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
    return this.changed(stateOf(breaker_settle(slot, this.#out.take(permit), number, random, now)));
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
    return this.changed(stateOf(breaker_switch(this.entered, how, now)));
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
  // Looked up at -1, an array is slow.
  return changed === 0 ? null : STATES[changed - 1]!;
}

/** The rejection that the core has put into the table. */
export function rejected() {
  const told = table();
  const wait = told[1]!;
  return { ok: false, state: STATES[told[0]!]!, retryAfterMs: wait >= 0 ? wait : undefined } as const;
}

/** Of what counts failures in place of a share. */
function counted(check: Check): Check {
  return (path, value, before) => {
    const isAlone = before.window === undefined || value === undefined;
    const expected = "used with `window`, which counts a share: give one of them";
    return optionValue(path, isAlone ? value : refuse(path, value, expected), check, before);
  };
}

function thresholds(path: string, value: unknown, { failureThreshold }: Record<string, any>): number[] {
  const own = byClass(path, value, [undefined, WHOLE, 1, 255], 0);
  const sum = own.reduce((sum, one) => sum + Math.max(0, one - 1), failureThreshold);
  return sum > 255 ? refuse(path, value, "all thresholds together at most 255", own, "is out of range") : own;
}

function bitsOf(path: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Array.isArray(value)) return refuse(path, value, "an array of classes", fallback);
  // A class that there is not has -1, which makes no bit.
  return value.reduce<number>((bits, name, index) => bits | (2 ** classNumber(`${path}[${index}]`, name)), 0);
}
