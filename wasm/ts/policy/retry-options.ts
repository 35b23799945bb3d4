// The settings of retrying, checked, and the policy that the core makes of them.

import { type Backoff, type Strategy, strategy } from "../backoff/strategy.js";
import { Alarm, Delays } from "../call/timers.js";
import { byDefault } from "../classify/default.js";
import {
  byClass,
  type Checks,
  clock,
  known,
  MICROSECOND,
  NULLABLE,
  number,
  type Range,
  values,
  WHOLE,
} from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type {
  BackoffContext,
  Classifier,
  Clock,
  ErrorClass,
  Pool,
  Random,
  ResultClassifier,
  Sleeper,
} from "../types.js";
import { enter, micros, table } from "../wasm/core.js";
import { Handle } from "../wasm/handle.js";
import { policy_limit, policy_new } from "../wasm/modules/core.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";
import type { Budget } from "./budget.js";

/** A class of which retrying cannot help. */
type FinalClass = "AUTH" | "PERMISSION" | "PERMANENT";

/** What each class of failure deserves. */
export interface RetryOptions {
  /** Says what a thrown value is; `classify.default` by default. */
  classifier?: Classifier | undefined;
  /** Says whether a returned value is a failure after all. */
  resultClassifier?: ResultClassifier | undefined;
  /** The strategy for all classes that have none of their own. */
  strategy?: Strategy | undefined;
  /** Strategies by class. */
  strategies?: { readonly [K in ErrorClass]?: Strategy | undefined } | undefined;
  /** At most so many attempts, the first one included, 1 and up; 6 by default, null or Infinity for no limit. */
  maxAttempts?: number | null | undefined;
  /** The time for the whole call, delays included; an attempt in flight ends with it. 60,000 by default, null for none. */
  deadlineMs?: number | null | undefined;
  /**
   * What becomes of a delay that does not fit before the deadline: "stop" (the default) ends the call at once, with the
   * whole delay in `nextSleepMs`; "cut" waits for the rest and makes one more attempt, as redress for Python does.
   */
  longDelay?: "stop" | "cut" | undefined;
  /** A delay before the first attempt, in milliseconds, 0 and up; it takes its part of the deadline. 0 by default. */
  initialDelayMs?: number | undefined;
  /** The time for each attempt, 0.001 ms and up; null (the default) for none. */
  attemptTimeoutMs?: number | null | undefined;
  /** How many failures of class UNKNOWN are retried, 0 to 65,534; 2 by default, null for no limit. */
  maxUnknownAttempts?: number | null | undefined;
  /** How many failures of a class are retried: with 0 the first one stops the call. */
  perClassMaxAttempts?: { readonly [K in ErrorClass]?: number | undefined } | undefined;
  /** Final classes that are retried all the same, so many times, for a peer that is known to reject falsely. */
  retriable?: { readonly [K in FinalClass]?: number | undefined } | undefined;
  /**
   * What becomes of an error by which a program or a library says that it was cancelled (`AbortError`, `ERR_CANCELED` and
   * the like) while the call's own signal is not aborted: "abort" (the default) ends the call as ABORTED, and its breaker
   * counts nothing; "classify" asks the classifier, as about any other error. One whose cause is a `TimeoutError` is
   * TRANSIENT.
   */
  abortErrors?: "abort" | "classify" | undefined;
  /** Grants retries, for all that share it. */
  budget?: Budget | Pool | undefined;
  /** The present in milliseconds, from any origin; the time of the runtime by default. */
  clock?: Clock | undefined;
  /** The randomness of jitter, in [0, 1); `Math.random` by default. */
  random?: Random | undefined;
  /** Sleeps in place of a timer; `callSync` needs one. */
  sleeper?: Sleeper | undefined;
  /** Lets Node end while a delay or the limit of an attempt is pending; false by default. */
  unref?: boolean | undefined;
}

/** How many classes are final: the first ones. */
const FINAL = 3;
const MOST_ATTEMPTS = 2 ** 32 - 1;
const LIMIT: Range = [undefined, WHOLE, 0, 65_534];
/** What a policy without retries has, too. */
const SHARED: Checks = {
  classifier: "function",
  resultClassifier: "function",
  abortErrors: (path, value) =>
    value === undefined || value === "abort" || value === "classify"
      ? value
      : refuse(path, value, '"abort" or "classify"'),
  budget: pool,
  clock,
  random: "function",
  sleeper: "function",
  unref: "boolean",
};
export const SHARED_KEYS = Object.keys(SHARED);
/** What each option of retrying must be. @internal */
export const CHECKS: Checks = {
  ...SHARED,
  maxAttempts: (path, value) => {
    const most = number(path, value, [6, WHOLE | NULLABLE, 1, MOST_ATTEMPTS]);
    return Number.isNaN(most) ? MOST_ATTEMPTS : most;
  },
  deadlineMs: [60_000, NULLABLE],
  initialDelayMs: [0],
  attemptTimeoutMs: [NaN, NULLABLE, MICROSECOND],
  maxUnknownAttempts: [2, WHOLE | NULLABLE, 0, 65_534],
  longDelay: (path, value) =>
    value === undefined || value === "stop" || value === "cut" ? value : refuse(path, value, '"stop" or "cut"'),
  perClassMaxAttempts: (path, value) => byClass(path, value, LIMIT, NaN),
  // A class has one limit.
  retriable: (path, value, { perClassMaxAttempts: limits }) =>
    byClass(
      path,
      value,
      (at, retries, index) => {
        if (index >= FINAL)
          return refuse(at, retries, "of AUTH, PERMISSION and PERMANENT: other classes are retried anyway", NaN);
        if (Number.isNaN(limits[index])) return number(at, retries, LIMIT);
        return refuse(at, retries, "used with `perClassMaxAttempts` of the class: give one of them", NaN);
      },
      NaN,
    ),
  strategy: (path, value) => (value === undefined ? value : strategy(path, value)),
  strategies: (path, value) => byClass<Backoff | undefined>(path, value, strategy, undefined),
};
export const RETRY_KEYS = Object.keys(CHECKS);
/** Options that are objects by class. */
const BY_CLASS = ["strategies", "perClassMaxAttempts", "retriable"];

/** A budget in either form. */
function pool(path: string, value: unknown): Budget | Pool | undefined {
  const fits = value === undefined || typeof (value as Partial<Pool> | null)?.consume === "function";
  return fits ? (value as Pool) : refuse(path, value, "a Budget, or an object with `consume`");
}

/** How a call is decided and timed. */
export class Rules extends Handle {
  /** The settings as the core takes them, by their places in `AT`, until it has. */
  #numbers: number[] | undefined;
  #limit: number | undefined;
  /** How many calls run, and whether more may begin. */
  #running = 0;
  #over = false;
  readonly classifier: Classifier;
  readonly resultClassifier: ResultClassifier | undefined;
  readonly budget: Budget | undefined;
  readonly pool: Pool | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleeper: Sleeper | undefined;
  /** Ends attempts at their limit. */
  readonly alarm: Alarm;
  /** Delays that are waited for. */
  readonly delays = new Delays();
  readonly #drains: (() => void)[] = [];
  readonly unref: boolean;
  readonly initialDelayMs: number;
  /** Whether an error of a cancellation is classified as any other. */
  readonly classifiesAborts: boolean;
  readonly #settings: Record<string, any>;
  readonly #once: boolean;
  #single: Rules | undefined;
  /** Whether attempts have a time of their own, after which a failure is another one. */
  readonly timed: boolean;
  /** Whether the core must hear of a success: a strategy or a budget does. */
  readonly listens: boolean;
  /** By class, and the default last; kept here so that the core's strategies live as long. */
  readonly strategies: readonly (Backoff | undefined)[];

  /** Of settings that are checked here; `once` of one attempt. */
  constructor(settings: Record<string, any>, once: boolean) {
    super();
    const path = once ? "policy" : "retry";
    this.#settings = settings;
    this.#once = once;
    const own = values(path, settings, once ? SHARED : CHECKS);
    this.classifier = own["classifier"] ?? byDefault;
    this.resultClassifier = own["resultClassifier"];
    this.clock = own["clock"];
    this.random = own["random"] ?? Math.random;
    this.sleeper = own["sleeper"];
    this.unref = own["unref"] ?? false;
    this.alarm = new Alarm(this.clock, this.unref);
    this.classifiesAborts = own["abortErrors"] === "classify";
    this.initialDelayMs = own["initialDelayMs"] ?? 0;
    this.timed = !Number.isNaN(own["attemptTimeoutMs"] ?? NaN);
    const { budget } = own;
    if (budget instanceof Handle) this.budget = budget as Budget;
    else this.pool = budget;
    // It starts here, not at the first call, so that a page which forbids it learns of it in time.
    enter();
    if (once) {
      // A single attempt, without limits and without a strategy.
      this.#numbers = numbersOf(1, NaN, NaN, NaN);
      this.strategies = [];
      this.listens = budget !== undefined;
      return;
    }
    const { maxAttempts, deadlineMs, attemptTimeoutMs, maxUnknownAttempts, perClassMaxAttempts, strategies } = own;
    const general: Backoff | undefined = own["strategy"];
    this.strategies = [...strategies.map((one: Backoff | undefined) => one ?? general), general];
    if (this.strategies.every((one) => one === undefined)) {
      refuse(`${path}.strategy`, undefined, "a strategy, for all classes here or for some in `strategies`");
    }
    const to = numbersOf(maxAttempts, deadlineMs, attemptTimeoutMs, maxUnknownAttempts);
    to[AT.Policy.cuts] = own["longDelay"] === "cut" ? 1 : 0;
    to[AT.Policy.retriable] = put(to, own["retriable"].slice(0, FINAL));
    to[AT.Policy.limited] = put(to, perClassMaxAttempts);
    this.#numbers = to;
    this.listens = budget !== undefined || this.strategies.some((one) => one?.listens);
  }

  override make(): number {
    const general = this.strategies[ERROR_CLASSES.length];
    const own = ERROR_CLASSES.map((_, at) => {
      const one = this.strategies[at];
      return one === general ? 0 : (one?.slot ?? 0);
    });
    // Each of these is made in the same place.
    const strategy = general?.slot ?? (this.strategies.length === 0 ? NaN : 0);
    const to = table();
    to.set(this.#numbers!);
    to[AT.Policy.strategy] = strategy;
    to.set(own, AT.Policy.strategies);
    const slot = policy_new();
    // What could not be made now is made later.
    if (slot !== 0) this.#numbers = undefined;
    return slot;
  }

  /** A call by these rules begins (1) or is over (-1). */
  runs(by: 1 | -1): void {
    this.#running += by;
    if (this.#running > 0) return;
    if (this.#over) this.free();
    if (this.#drains.length > 0) for (const drained of this.#drains.splice(0)) drained();
  }

  /** Ends all delays as aborted, also those to come; resolves once no call runs. */
  drain(): Promise<void> {
    this.delays.end();
    return new Promise((resolve) => {
      if (this.#running === 0) resolve();
      else this.#drains.push(resolve);
    });
  }

  /** Gives their memory back once no call runs by them; none will begin. */
  dispose(): void {
    this.#over = true;
    if (this.#running === 0) this.free();
  }

  /** The same for a call of one attempt, for which no budget is asked. */
  get single(): Rules {
    if (this.#once) return this;
    return (this.#single ??= new Rules({ ...this.#settings, maxAttempts: 1, budget: undefined }, false));
  }

  /** How long the first attempt of a call may take; Infinity without a limit. */
  get limit(): number {
    return (this.#limit ??= policy_limit(this.entered));
  }

  /** The function that the strategy of a class asks in the end. */
  own(errorClass: number): ((context: BackoffContext) => unknown) | undefined {
    return this.strategies[errorClass]?.own;
  }
}

/** No limit of failures of a class. */
const NO_LIMIT = 65_535;

/** Limits where the core reads them, NaN for none, and room for the rest. */
function numbersOf(attempts: number, deadlineMs: number, timeoutMs: number, unknown: number): number[] {
  const to = Array<number>(AT.Policy.strategy).fill(0);
  to[AT.Policy.maxAttempts] = attempts;
  to[AT.Policy.deadline] = micros(deadlineMs);
  to[AT.Policy.attemptTimeout] = micros(timeoutMs);
  to[AT.Policy.maxUnknown] = Number.isNaN(unknown) ? NO_LIMIT : unknown;
  return to;
}

/** Puts limits by class, NaN for none, where the core reads them; the classes that have one, as bits. */
function put(to: number[], limits: readonly number[]): number {
  return limits.reduce((bits, limit, index) => {
    if (Number.isNaN(limit)) return bits;
    to[AT.Policy.limits + index] = limit;
    return bits | (1 << index);
  }, 0);
}

/** Checked options of retrying: a copy, so that later changes of what was given change nothing. */
export class RetryConfig implements RetryOptions {
  declare readonly strategy?: Strategy | undefined;
  declare readonly strategies?: RetryOptions["strategies"];
  declare readonly maxAttempts?: number | null | undefined;
  declare readonly deadlineMs?: number | null | undefined;
  declare readonly initialDelayMs?: number | undefined;
  declare readonly attemptTimeoutMs?: number | null | undefined;
  declare readonly maxUnknownAttempts?: number | null | undefined;
  declare readonly perClassMaxAttempts?: RetryOptions["perClassMaxAttempts"];
  declare readonly longDelay?: RetryOptions["longDelay"];
  declare readonly retriable?: RetryOptions["retriable"];
  declare readonly classifier?: Classifier | undefined;
  declare readonly abortErrors?: "abort" | "classify" | undefined;
  declare readonly resultClassifier?: ResultClassifier | undefined;
  declare readonly budget?: Budget | Pool | undefined;
  declare readonly clock?: Clock | undefined;
  declare readonly random?: Random | undefined;
  declare readonly sleeper?: Sleeper | undefined;
  declare readonly unref?: boolean | undefined;

  /** Checks the options: a TypeError or a RangeError names the wrong one by its path. */
  constructor(settings: RetryOptions) {
    Object.assign(this, copied(settings));
    new Rules(this, false);
    Object.freeze(this);
  }
}

/** A copy of options whose keys are known. */
export function copied(settings: unknown): RetryOptions {
  const given = known("retry", settings, RETRY_KEYS);
  const copy: Record<string, unknown> = { ...given };
  for (const key of BY_CLASS) {
    if (typeof given[key] === "object" && given[key] !== null) copy[key] = Object.freeze({ ...given[key] });
  }
  return copy as RetryOptions;
}
