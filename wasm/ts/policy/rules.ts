// The settings of retrying, checked, and the policy that the core makes of them.

import { type Backoff, type Strategy, strategy } from "../backoff/strategy.js";
import { byDefault } from "../classify/default.js";
import {
  ABOVE,
  byClass,
  callable,
  NULLABLE,
  number,
  numbers,
  options,
  type Range,
  type Ranges,
  systemClock,
  WHOLE,
  wrongType,
} from "../config/options.js";
import {
  type BackoffContext,
  type Classifier,
  type Clock,
  ERROR_CLASSES,
  type ErrorClass,
  type Pool,
  type Random,
  type ResultClassifier,
  type Sleeper,
} from "../types.js";
import { enter, micros, table } from "../wasm/core.js";
import { Handle } from "../wasm/handle.js";
import { policy_limit, policy_new } from "../wasm/modules/core.js";
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
  /** At most so many attempts, the first one included, 1 and up; 6 by default. */
  maxAttempts?: number | undefined;
  /** The time for the whole call, delays included; an attempt in flight ends with it. 60,000 by default, null for none. */
  deadlineMs?: number | null | undefined;
  /**
   * What becomes of a delay that does not fit before the deadline: "stop" (the default) ends the call at once, with the
   * whole delay in `nextSleepMs`; "cut" waits for the rest and makes one more attempt, as redress for Python does.
   */
  longDelay?: "stop" | "cut" | undefined;
  /** The time for each attempt, 0.001 ms and up; null (the default) for none. */
  attemptTimeoutMs?: number | null | undefined;
  /** How many failures of class UNKNOWN are retried, 0 to 65,534; 2 by default, null for no limit. */
  maxUnknownAttempts?: number | null | undefined;
  /** How many failures of a class are retried: with 0 the first one stops the call. */
  perClassMaxAttempts?: { readonly [K in ErrorClass]?: number | undefined } | undefined;
  /** Final classes that are retried all the same, so many times, for a peer that is known to reject falsely. */
  retriable?: { readonly [K in FinalClass]?: number | undefined } | undefined;
  /** Grants retries, for all that share it. */
  budget?: Budget | Pool | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
  /** Sleeps in place of a timer; `callSync` needs one. */
  sleeper?: Sleeper | undefined;
  /** Lets Node end while a delay or the limit of an attempt is pending. */
  unref?: boolean | undefined;
}

const NUMBERS: Ranges = {
  maxAttempts: [6, WHOLE, 1, 2 ** 32 - 1],
  deadlineMs: [60_000, NULLABLE],
  attemptTimeoutMs: [NaN, ABOVE | NULLABLE],
  maxUnknownAttempts: [2, WHOLE | NULLABLE, 0, 65_534],
};
const BY_CLASS = ["strategies", "perClassMaxAttempts", "retriable"];
/** How many classes are final: the first ones. */
const FINAL = 3;
const LIMIT: Range = [undefined, WHOLE, 0, 65_534];
export const RETRY_KEYS = [
  ..."classifier resultClassifier strategy longDelay budget clock random sleeper unref".split(" "),
  ...Object.keys(NUMBERS),
  ...BY_CLASS,
];

/** A budget in either form. */
export function pool(path: string, value: unknown): Budget | Pool | undefined {
  if (value === undefined) return value;
  const given = value as Partial<Pool> | null;
  if (typeof given?.consume !== "function") throw wrongType(path, value, "a Budget, or an object with `consume`");
  return given as Pool;
}

/** How a call is decided and timed. */
export class Rules extends Handle {
  /** The settings as the core takes them, until it has. */
  #settings: number[] | undefined;
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
  readonly unref: boolean;
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
    const own = <F>(name: string) => callable<F>(`${path}.${name}`, settings[name]);
    this.classifier = own<Classifier>("classifier") ?? byDefault;
    this.resultClassifier = own("resultClassifier");
    this.clock = own<Clock>("clock") ?? systemClock;
    this.random = own<Random>("random") ?? Math.random;
    this.sleeper = own("sleeper");
    this.unref = settings["unref"] ?? false;
    this.timed = (settings["attemptTimeoutMs"] ?? null) !== null;
    if (typeof this.unref !== "boolean") throw wrongType(`${path}.unref`, this.unref, "true or false");
    const budget = pool(`${path}.budget`, settings["budget"]);
    if (budget instanceof Handle) this.budget = budget;
    else this.pool = budget;
    // It starts here, not at the first call, so that a page which forbids it learns of it in time.
    enter();
    const limits = ERROR_CLASSES.map(() => NaN);
    if (once) {
      // A single attempt, without limits and without a strategy.
      this.#settings = settingsOf([1, NaN, NaN, NaN]);
      this.strategies = [];
      this.listens = budget !== undefined;
      return;
    }
    const all = numbers(path, settings, NUMBERS);
    for (const [index, at, value] of byClass(`${path}.perClassMaxAttempts`, settings["perClassMaxAttempts"])) {
      limits[index] = number(at, value, LIMIT);
    }
    const to = settingsOf(all);
    to[AT.Policy.cuts] = longDelay(`${path}.longDelay`, settings["longDelay"]);
    to[AT.Policy.retriable] = put(to, retriable(`${path}.retriable`, settings, limits));
    to[AT.Policy.limited] = put(to, limits);
    const given = settings["strategy"];
    const general = given === undefined ? undefined : strategy(`${path}.strategy`, given);
    const special: (Backoff | undefined)[] = ERROR_CLASSES.map(() => undefined);
    for (const [index, at, value] of byClass(`${path}.strategies`, settings["strategies"])) {
      special[index] = strategy(at, value);
    }
    if (general === undefined && special.every((one) => one === undefined)) {
      throw new TypeError(`${path}.strategy: there is none, and no strategies by class; give one or more`);
    }
    this.#settings = to;
    this.strategies = [...special.map((one) => one ?? general), general];
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
    to.set(this.#settings!);
    to[AT.Policy.strategy] = strategy;
    to.set(own, AT.Policy.strategies);
    const slot = policy_new();
    // What could not be made now is made later.
    if (slot !== 0) this.#settings = undefined;
    return slot;
  }

  /** A call by these rules begins (1) or is over (-1). */
  runs(by: 1 | -1): void {
    this.#running += by;
    if (this.#over && this.#running === 0) this.free();
  }

  /** Gives their memory back once no call runs by them; none will begin. */
  dispose(): void {
    this.#over = true;
    if (this.#running === 0) this.free();
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

/** The numbers of `NUMBERS` where the core reads them, and room for the rest. */
function settingsOf([attempts, deadline, timeout, unknown]: readonly number[]): number[] {
  const to = Array<number>(AT.Policy.strategy).fill(0);
  to[AT.Policy.maxAttempts] = attempts!;
  to[AT.Policy.deadline] = micros(deadline!);
  to[AT.Policy.attemptTimeout] = micros(timeout!);
  to[AT.Policy.maxUnknown] = Number.isNaN(unknown) ? NO_LIMIT : unknown!;
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

function longDelay(path: string, value: unknown): number {
  if (value !== undefined && value !== "stop" && value !== "cut") throw wrongType(path, value, '"stop" or "cut"');
  return value === "cut" ? 1 : 0;
}

/** Retries of each final class, NaN for none; a class has one limit. */
function retriable(path: string, settings: Record<string, any>, limits: readonly number[]): number[] {
  const retries = Array.from({ length: FINAL }, () => NaN);
  for (const [index, at, value] of byClass(path, settings["retriable"])) {
    if (index >= FINAL)
      throw wrongType(at, value, "of AUTH, PERMISSION and PERMANENT: other classes are retried anyway");
    if (!Number.isNaN(limits[index]))
      throw wrongType(at, value, "used with `perClassMaxAttempts` of the class: give one of them");
    retries[index] = number(at, value, LIMIT);
  }
  return retries;
}

/** Checked options of retrying: a copy, so that later changes of what was given change nothing. */
export class RetryConfig implements RetryOptions {
  declare readonly strategy?: Strategy | undefined;
  declare readonly strategies?: RetryOptions["strategies"];
  declare readonly maxAttempts?: number | undefined;
  declare readonly deadlineMs?: number | null | undefined;
  declare readonly attemptTimeoutMs?: number | null | undefined;
  declare readonly maxUnknownAttempts?: number | null | undefined;
  declare readonly perClassMaxAttempts?: RetryOptions["perClassMaxAttempts"];
  declare readonly longDelay?: RetryOptions["longDelay"];
  declare readonly retriable?: RetryOptions["retriable"];
  declare readonly classifier?: Classifier | undefined;
  declare readonly resultClassifier?: ResultClassifier | undefined;
  declare readonly budget?: Budget | Pool | undefined;
  declare readonly clock?: Clock | undefined;
  declare readonly random?: Random | undefined;
  declare readonly sleeper?: Sleeper | undefined;
  declare readonly unref?: boolean | undefined;

  constructor(settings: RetryOptions) {
    Object.assign(this, copied(settings));
    new Rules(this, false);
    Object.freeze(this);
  }
}

/** A copy of options whose keys are known. */
export function copied(settings: unknown): RetryOptions {
  const given = options("retry", settings, RETRY_KEYS);
  const copy: Record<string, unknown> = { ...given };
  for (const key of BY_CLASS) {
    if (typeof given[key] === "object" && given[key] !== null) copy[key] = Object.freeze({ ...given[key] });
  }
  return copy as RetryOptions;
}
