// Strategies: how long to wait after a failure. The core computes them; functions are asked by it.

import { refuse, show } from "../config/issues.js";
import type { BackoffContext } from "../types.js";
import { bytes, micros, release, reserve, table } from "../wasm/core.js";
import { Handle } from "../wasm/handle.js";
import { strategy_new } from "../wasm/modules/core.js";

/**
 * A strategy of your own, of the context of the failure: the delay in milliseconds, 0 and up. Without a number the call
 * stops with NO_STRATEGY. A function of three arguments, as redress for Python takes, gets attempt, class and the delay
 * before; it is not part of the type, so that the context of a function written in place has its type.
 */
export type StrategyFunction = (context: BackoffContext) => number | null | undefined;

/** One of `backoff`, a function, or an object with a `delay` of the context. */
export type Strategy =
  | Backoff
  | StrategyFunction
  | {
      /** The delay in milliseconds, 0 and up; without a number the call stops with NO_STRATEGY. */
      delay(context: BackoffContext): number | null | undefined;
    };

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
  "linear",
] as const;
/** The name of a strategy: that of its function in `backoff`. */
export type Kind = (typeof KINDS)[number] | "adaptive";

interface Parts {
  first?: number;
  second?: number;
  /** What is added at random, in milliseconds. */
  jitter?: number;
  /** In thousandths. */
  growth?: number;
  /** The longest hint, in milliseconds. */
  most?: number;
  delays?: number[];
  fallback?: Backoff;
  /** Makes one that has a function of its own in the core, of its fallback. */
  make?: (fallback: number) => number;
  own?: (context: BackoffContext) => unknown;
}

/** A strategy of the core, made by the functions of `backoff`. */
export class Backoff extends Handle {
  /** Its name. */
  readonly kind: Kind;
  /** What the core is handed. @internal */
  readonly parts: Parts;

  /** @internal */
  constructor(kind: Kind, parts: Parts) {
    super();
    this.kind = kind;
    this.parts = parts;
  }

  /** Its name. */
  toJSON(): string {
    return this.kind;
  }

  /** The function that is asked in the end, if there is one. @internal */
  get own(): ((context: BackoffContext) => unknown) | undefined {
    return this.parts.own ?? this.parts.fallback?.own;
  }

  /** Whether it wants to hear of successes. @internal */
  get listens(): boolean {
    return this.kind === "adaptive" || this.parts.fallback?.listens === true;
  }

  /** @internal */
  override make(): number {
    const { first = 0, second = 0, jitter = 0, growth, most = NaN, delays, fallback, make } = this.parts;
    let link = fallback?.slot ?? 0;
    if (make !== undefined) return make(link);
    if (delays !== undefined) {
      link = reserve(delays.length * 8);
      bytes(link, delays.length * 8).set(new Uint8Array(Float64Array.from(delays, (ms) => micros(ms)).buffer));
    }
    const to = table();
    to[AT.Strategy.first] = micros(first);
    to[AT.Strategy.second] = delays?.length ?? micros(second);
    to[AT.Strategy.third] = growth ?? micros(most);
    to[AT.Strategy.link] = link;
    to[AT.Strategy.jitter] = micros(jitter);
    const slot = strategy_new(KINDS.indexOf(this.kind as never));
    if (slot === 0 && delays !== undefined) release(link);
    return slot;
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
    if (value.length > 1) refuse(path, value, "a function of the context, or of (attempt, class, previousSleepMs)");
    return new Backoff("function", { own: value as (context: BackoffContext) => unknown });
  }
  const delay = (value as { delay?: unknown } | null | undefined)?.delay;
  if (typeof delay === "function") {
    return new Backoff("function", { own: (context) => delay.call(value, context) });
  }
  return refuse(path, value, "a strategy: one of backoff, or a function", new Backoff("constant", {}));
}

/** The delay that a function gave, checked: NaN for none. */
export function checkedDelay(delay: unknown): number {
  if (delay === null || delay === undefined) return NaN;
  if (typeof delay !== "number") throw new TypeError(`a strategy's delay must be a number, not ${show(delay)}`);
  if (!Number.isFinite(delay)) throw new RangeError(`a strategy's delay must be finite, not ${delay}`);
  return Math.max(0, delay);
}

/** A hint that says something; the core takes one beyond its range as the longest there is. */
export function hint(ms: unknown): number | undefined {
  return typeof ms === "number" && ms >= 0 ? ms : undefined;
}
