// The strategies of the core, `backoff.constant` and so on: each is an export of its own, so that a bundler can leave
// out the others. Delays are milliseconds.

import { number, options, outOfRange, wrongType } from "./options.js";
import { Backoff, type Kind, type Strategy, strategy } from "./strategy.js";

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

/** Always the same delay; 0 retries at once. */
export function constant(ms: number): Backoff {
  const first = delayOf("backoff.constant", ms);
  return new Backoff("constant", { first, second: first });
}

/** `baseMs`, times `factor` (2 by default) each time, up to `maxMs`; without jitter. */
export function exponential(settings: Range & { factor?: number } = {}): Backoff {
  const path = "backoff.exponential";
  const { baseMs, maxMs, factor } = options(path, settings, ["baseMs", "maxMs", "factor"]);
  const first = delayOf(`${path}.baseMs`, baseMs, 250);
  const second = delayOf(`${path}.maxMs`, maxMs, 30_000);
  const growth = number(`${path}.factor`, factor, { min: 1, max: 65_535 }, 2);
  if (growth === 2) return new Backoff("exponential", { first, second });
  return new Backoff("exponentialBy", { first, second, table: [Math.round(growth * 1000)] });
}

/** `baseMs` times 1, 1, 2, 3, 5, 8, .. up to `maxMs`; without jitter. */
export const fibonacci = /* @__PURE__ */ range("fibonacci");

/** Between 0 and a doubling cap. */
export const fullJitter = /* @__PURE__ */ range("fullJitter");

/** In the upper half of a doubling cap. */
export const equalJitter = /* @__PURE__ */ range("equalJitter");

/** Between `baseMs` and three times the delay before. */
export const decorrelatedJitter = /* @__PURE__ */ range("decorrelatedJitter");

/** In the upper half of a cap that grows by half. */
export const tokenBackoff = /* @__PURE__ */ range("tokenBackoff");

/** These delays in order, the last one again and again. */
export function sequence(delaysMs: readonly number[]): Backoff {
  if (!Array.isArray(delaysMs)) throw wrongType("backoff.sequence", delaysMs, "an array of milliseconds");
  if (delaysMs.length > 10_000) throw outOfRange("backoff.sequence.length", delaysMs.length, "at most 10000 delays");
  const delays = delaysMs.map((ms, index) => delayOf(`backoff.sequence[${index}]`, ms));
  return new Backoff("sequence", { second: delays.length, delays });
}

/** What the other side asked for, plus up to `jitterMs` (250 by default), else `fallback`. */
export function retryAfterOr(fallback: Strategy, settings: { jitterMs?: number } = {}): Backoff {
  const path = "backoff.retryAfterOr";
  const { jitterMs } = options(path, settings, ["jitterMs"]);
  const first = delayOf(`${path}.jitterMs`, jitterMs, 250);
  return new Backoff("retryAfterOr", { first, fallback: strategy(path, fallback) });
}

/** The delays of `fallback`, multiplied as failures grow; keep one for each upstream. */
export function adaptive(fallback: Strategy, settings: Adaptivity = {}): Backoff {
  const path = "backoff.adaptive";
  const keys = ["windowMs", "targetSuccess", "minMultiplier", "maxMultiplier"];
  const given = options(path, settings, keys);
  const first = number(`${path}.windowMs`, given["windowMs"], { above: true }, 60_000);
  const target = number(`${path}.targetSuccess`, given["targetSuccess"], { min: 0.001, max: 1 }, 0.9);
  const most = number(`${path}.maxMultiplier`, given["maxMultiplier"], { max: 4_000 }, 5);
  const least = number(`${path}.minMultiplier`, given["minMultiplier"], { max: most }, Math.min(1, most));
  const numbers = [target, least, most].map((share) => Math.round(share * 1000));
  return new Backoff("adaptive", { first, table: numbers, fallback: strategy(path, fallback) });
}
