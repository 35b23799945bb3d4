// Strategies: how long to wait after a failure. The core computes them; functions are asked by it.

import { core, owned, table } from "./core.js";
import { number, options, outOfRange, show, wrongType } from "./options.js";
import type { BackoffContext, ErrorClass } from "./types.js";

/** A strategy of your own: of the whole context, or of attempt, class and the delay before. */
export type StrategyFunction =
  | ((context: BackoffContext) => number | null | undefined)
  | ((attempt: number, errorClass: ErrorClass, previousSleepMs: number) => number | null | undefined);

/** One of `backoff`, a function, or an object with a `delay` of the context. */
export type Strategy =
  | Backoff
  | StrategyFunction
  | { delay(context: BackoffContext): number | null | undefined };

const KINDS = [
  "constant",
  "exponential",
  "exponentialBy",
  "fibonacci",
  "fullJitter",
  "equalJitter",
  "decorrelatedJitter",
  "tokenBackoff",
  "sequence",
  "retryAfterOr",
  "function",
  "adaptive",
] as const;
type Kind = (typeof KINDS)[number];

interface Parts {
  first?: number;
  second?: number;
  table?: number[];
  delays?: number[];
  fallback?: Backoff;
  own?: (context: BackoffContext) => unknown;
}

/** A strategy of the core, made by the functions of `backoff`. */
export class Backoff {
  /** Its name. */
  readonly kind: Kind;
  /** What the core is handed. @internal */
  readonly parts: Parts;
  #slot = 0;

  /** @internal */
  constructor(kind: Kind, parts: Parts) {
    this.kind = kind;
    this.parts = parts;
  }

  /** The function that is asked in the end, if there is one. @internal */
  get own(): ((context: BackoffContext) => unknown) | undefined {
    return this.parts.own ?? this.parts.fallback?.own;
  }

  /** Where the core has it. @internal */
  get slot(): number {
    if (this.#slot === 0) {
      const { first = 0, second = 0, table: more = [], delays, fallback } = this.parts;
      let link = fallback?.slot ?? 0;
      if (delays !== undefined) {
        link = core().memory_reserve(Math.max(8, delays.length * 8));
        new Float64Array(core().memory.buffer, link, delays.length).set(delays);
      }
      table().set(more);
      this.#slot = owned(this, core().strategy_new(KINDS.indexOf(this.kind), first, second, link), true);
    }
    return this.#slot;
  }
}

/** Any form of strategy as one of the core. */
export function strategy(path: string, value: unknown): Backoff {
  if (value instanceof Backoff) return value;
  if (typeof value === "function") {
    if (value.length === 3) {
      const own = ({ attempt, class: name, previousSleepMs }: BackoffContext) => value(attempt, name, previousSleepMs);
      return new Backoff("function", { own });
    }
    if (value.length > 1) {
      const right = "a function of the context, or of (attempt, class, previousSleepMs)";
      throw new TypeError(`${path}: a strategy of ${value.length} arguments is not ${right}`);
    }
    return new Backoff("function", { own: value as (context: BackoffContext) => unknown });
  }
  const delay = (value as { delay?: unknown } | null | undefined)?.delay;
  if (typeof delay === "function") {
    return new Backoff("function", { own: (context) => delay.call(value, context) });
  }
  throw wrongType(path, value, "a strategy: one of backoff, or a function");
}

const MOST = { max: 2 ** 53 / 1000 };
const delayOf = (path: string, value: unknown, fallback?: number) => number(path, value, MOST, fallback);

interface Range {
  /** The first delay, in milliseconds; 250 by default. */
  baseMs?: number;
  /** The longest, in milliseconds; 30,000 by default. */
  maxMs?: number;
}

function range(kind: Kind) {
  return (settings: Range = {}): Backoff => {
    const { baseMs, maxMs } = options(`backoff.${kind}`, settings, ["baseMs", "maxMs"]);
    const path = `backoff.${kind}`;
    const first = delayOf(`${path}.baseMs`, baseMs, 250);
    return new Backoff(kind, { first, second: delayOf(`${path}.maxMs`, maxMs, 30_000) });
  };
}

interface Adaptivity {
  /** Outcomes of this age are forgotten; 60,000 by default. */
  windowMs?: number;
  /** The share of successes that needs no slowing down, 0.001 to 1; 0.9 by default. */
  targetSuccess?: number;
  /** 1 by default. */
  minMultiplier?: number;
  /** 5 by default; at most 4,000. */
  maxMultiplier?: number;
}

/** The strategies of the core. Delays are milliseconds. */
export const backoff = {
  /** Always the same delay; 0 retries at once. */
  constant(ms: number): Backoff {
    const first = delayOf("backoff.constant", ms);
    return new Backoff("constant", { first, second: first });
  },
  /** `baseMs`, times `factor` (2 by default) each time, up to `maxMs`; without jitter. */
  exponential(settings: Range & { factor?: number } = {}): Backoff {
    const path = "backoff.exponential";
    const { baseMs, maxMs, factor } = options(path, settings, ["baseMs", "maxMs", "factor"]);
    const first = delayOf(`${path}.baseMs`, baseMs, 250);
    const second = delayOf(`${path}.maxMs`, maxMs, 30_000);
    const growth = number(`${path}.factor`, factor, { min: 1, max: 65_535 }, 2);
    if (growth === 2) return new Backoff("exponential", { first, second });
    return new Backoff("exponentialBy", { first, second, table: [Math.round(growth * 1000)] });
  },
  /** `baseMs` times 1, 1, 2, 3, 5, 8, .. up to `maxMs`; without jitter. */
  fibonacci: range("fibonacci"),
  /** Between 0 and a doubling cap. */
  fullJitter: range("fullJitter"),
  /** In the upper half of a doubling cap. */
  equalJitter: range("equalJitter"),
  /** Between `baseMs` and three times the delay before. */
  decorrelatedJitter: range("decorrelatedJitter"),
  /** In the upper half of a cap that grows by half. */
  tokenBackoff: range("tokenBackoff"),
  /** These delays in order, the last one again and again. */
  sequence(delaysMs: readonly number[]): Backoff {
    if (!Array.isArray(delaysMs)) throw wrongType("backoff.sequence", delaysMs, "an array of milliseconds");
    if (delaysMs.length > 10_000) throw outOfRange("backoff.sequence.length", delaysMs.length, "at most 10000 delays");
    const delays = delaysMs.map((ms, index) => delayOf(`backoff.sequence[${index}]`, ms));
    return new Backoff("sequence", { second: delays.length, delays });
  },
  /** What the other side asked for, plus up to `jitterMs` (250 by default), else `fallback`. */
  retryAfterOr(fallback: Strategy, settings: { jitterMs?: number } = {}): Backoff {
    const path = "backoff.retryAfterOr";
    const { jitterMs } = options(path, settings, ["jitterMs"]);
    const first = delayOf(`${path}.jitterMs`, jitterMs, 250);
    return new Backoff("retryAfterOr", { first, fallback: strategy(path, fallback) });
  },
  /** The delays of `fallback`, multiplied as failures grow; keep one for each upstream. */
  adaptive(fallback: Strategy, settings: Adaptivity = {}): Backoff {
    const path = "backoff.adaptive";
    const keys = ["windowMs", "targetSuccess", "minMultiplier", "maxMultiplier"];
    const given = options(path, settings, keys);
    const first = number(`${path}.windowMs`, given["windowMs"], { above: true }, 60_000);
    const target = number(`${path}.targetSuccess`, given["targetSuccess"], { min: 0.001, max: 1 }, 0.9);
    const most = number(`${path}.maxMultiplier`, given["maxMultiplier"], { max: 4_000 }, 5);
    const least = number(`${path}.minMultiplier`, given["minMultiplier"], { max: most }, Math.min(1, most));
    const numbers = [target, least, most].map((share) => Math.round(share * 1000));
    return new Backoff("adaptive", { first, table: numbers, fallback: strategy(path, fallback) });
  },
};

/** The delay that a function gave, checked: NaN for none. */
export function checkedDelay(delay: unknown): number {
  if (delay === null || delay === undefined) return NaN;
  if (typeof delay !== "number") throw new TypeError(`a strategy's delay must be a number, not ${show(delay)}`);
  if (!Number.isFinite(delay)) throw new RangeError(`a strategy's delay must be finite, not ${delay}`);
  return Math.max(0, delay);
}
