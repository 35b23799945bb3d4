// The strategies of the core, `backoff.constant` and so on: each is an export of its own, so that a bundler can leave
// out the others. Delays are milliseconds.

import {
  ABOVE,
  NULLABLE,
  number,
  numbers,
  onlyNumbers,
  options,
  outOfRange,
  type Range,
  type Ranges,
  wrongType,
} from "../config/options.js";
import { micros, table } from "../wasm/core.js";
import { enterExtras } from "../wasm/extras.js";
import { adaptive_new } from "../wasm/modules/extras.js";
import { Backoff, type Kind, type Strategy, strategy } from "./strategy.js";

const MOST_MS = 2 ** 53 / 1000;
const FIRST: Range = [250, 0, 0, MOST_MS];
const DELAY: Range = [undefined, 0, 0, MOST_MS];
const HINTS: Ranges = { jitterMs: FIRST, atLeastMs: [0, 0, 0, MOST_MS] };
const SPAN: Ranges = { baseMs: FIRST, maxMs: [30_000, 0, 0, MOST_MS] };

interface Span {
  /** The first delay, in milliseconds; 250 by default. */
  baseMs?: number;
  /** The longest, in milliseconds; 30,000 by default. */
  maxMs?: number;
}

function span(kind: Kind) {
  return (settings: Span = {}): Backoff => {
    const [first, second] = onlyNumbers(`backoff.${kind}`, settings, SPAN) as [number, number];
    return new Backoff(kind, { first, second });
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
  const first = number("backoff.constant", ms, DELAY);
  return new Backoff("constant", { first, second: first });
}

/** `baseMs`, times `factor` (2 by default) each time, up to `maxMs`; without jitter. */
export function exponential(settings: Span & { factor?: number } = {}): Backoff {
  const ranges: Ranges = { ...SPAN, factor: [2, 0, 1, 65_535] };
  const [first, second, growth] = onlyNumbers("backoff.exponential", settings, ranges) as [number, number, number];
  if (growth === 2) return new Backoff("exponential", { first, second });
  return new Backoff("exponentialBy", { first, second, growth: Math.round(growth * 1000) });
}

/** `baseMs` times 1, 1, 2, 3, 5, 8, .. up to `maxMs`; without jitter. */
export const fibonacci = /* @__PURE__ */ span("fibonacci");

/** Between 0 and a doubling cap. */
export const fullJitter = /* @__PURE__ */ span("fullJitter");

/** In the upper half of a doubling cap. */
export const equalJitter = /* @__PURE__ */ span("equalJitter");

/** Between `baseMs` and three times the delay before. */
export const decorrelatedJitter = /* @__PURE__ */ span("decorrelatedJitter");

/** In the upper half of a cap that grows by half. */
export const tokenBackoff = /* @__PURE__ */ span("tokenBackoff");

/** These delays in order, the last one again and again. */
export function sequence(delaysMs: readonly number[]): Backoff {
  if (!Array.isArray(delaysMs)) throw wrongType("backoff.sequence", delaysMs, "an array of milliseconds");
  if (delaysMs.length > 10_000) throw outOfRange("backoff.sequence.length", delaysMs.length, "at most 10000 delays");
  const delays = delaysMs.map((ms, index) => number(`backoff.sequence[${index}]`, ms, DELAY));
  return new Backoff("sequence", { delays });
}

interface Hints {
  /** Up to so much is added to a hint; 250 by default. */
  jitterMs?: number;
  /** A shorter hint counts as this long, before jitter; 0 by default. */
  atLeastMs?: number;
  /** A longer hint is not followed: it is a delay that does not fit, as one beyond the deadline is. `atLeastMs` and up; null (the default) for no limit. */
  atMostMs?: number | null;
}

/** What the other side asked for, plus up to `jitterMs`, else `fallback`. */
export function retryAfterOr(fallback: Strategy, settings: Hints = {}): Backoff {
  const path = "backoff.retryAfterOr";
  const given = options(path, settings, [...Object.keys(HINTS), "atMostMs"]);
  const [first, second] = numbers(path, given, HINTS) as [number, number];
  const most = number(`${path}.atMostMs`, given["atMostMs"], [NaN, NULLABLE, second, MOST_MS]);
  return new Backoff("retryAfterOr", { first, second, most, fallback: strategy(path, fallback) });
}

const ADAPTIVITY: Ranges = {
  windowMs: [60_000, ABOVE],
  targetSuccess: [0.9, 0, 0.001, 1],
  maxMultiplier: [5, 0, 0, 4_000],
};

/** The delays of `fallback`, multiplied as failures grow; keep one for each upstream. */
export function adaptive(fallback: Strategy, settings: Adaptivity = {}): Backoff {
  const path = "backoff.adaptive";
  const given = options(path, settings, [...Object.keys(ADAPTIVITY), "minMultiplier"]);
  const [first, target, most] = numbers(path, given, ADAPTIVITY) as [number, number, number];
  const least = number(`${path}.minMultiplier`, given["minMultiplier"], [Math.min(1, most), 0, 0, most]);
  const make = (slot: number) => {
    enterExtras();
    const to = table();
    to[AT.Adaptive.window] = micros(first);
    to[AT.Adaptive.targetMilli] = Math.round(target * 1000);
    to[AT.Adaptive.leastMilli] = Math.round(least * 1000);
    to[AT.Adaptive.mostMilli] = Math.round(most * 1000);
    to[AT.Adaptive.fallback] = slot;
    return adaptive_new();
  };
  return new Backoff("adaptive", { fallback: strategy(path, fallback), make });
}
