// The strategies of the core, `backoff.constant` and so on: each is an export of its own, so that a bundler can leave
// out the others. Delays are milliseconds.

import { type Checks, MICROSECOND, NULLABLE, number, options, type Range } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { enterAdaptive } from "../wasm/adaptive.js";
import { micros, table } from "../wasm/core.js";
import { adaptive_new } from "../wasm/modules/adaptive.js";
import { Backoff, type Kind, type Strategy, strategy } from "./strategy.js";

const MOST_MS = 2 ** 53 / 1000;
const FIRST: Range = [250, 0, 0, MOST_MS];
const DELAY: Range = [undefined, 0, 0, MOST_MS];
const SPAN: Checks = { baseMs: FIRST, maxMs };

/** The settings of delays that grow. */
interface Span {
  /** The first delay, in milliseconds, 0 and up; 250 by default. */
  baseMs?: number;
  /** The longest, in milliseconds, 0 and up; 30,000 by default, null or Infinity for none. */
  maxMs?: number | null;
}

/** The settings of delays without jitter of their own. */
interface Plain extends Span {
  /** Up to so much is added to each delay at random, also beyond `maxMs`; in milliseconds, 0 and up; 0 by default. */
  jitterMs?: number;
}

const JITTER: Range = [0, 0, 0, MOST_MS];
const PLAIN: Checks = { ...SPAN, jitterMs: JITTER };

function maxMs(path: string, value: unknown): number {
  const most = number(path, value, [30_000, NULLABLE, 0, MOST_MS]);
  return Number.isNaN(most) ? MOST_MS : most;
}

function span(kind: Kind) {
  return (settings: Span = {}): Backoff => {
    const { baseMs, maxMs } = options(`backoff.${kind}`, settings, SPAN);
    return new Backoff(kind, { first: baseMs, second: maxMs });
  };
}

function plain(kind: Kind) {
  return (settings: Plain = {}): Backoff => {
    const { baseMs, maxMs, jitterMs } = options(`backoff.${kind}`, settings, PLAIN);
    return new Backoff(kind, { first: baseMs, second: maxMs, jitter: jitterMs });
  };
}

/** The settings of `adaptive`. */
interface Adaptivity {
  /** Outcomes of this age are forgotten, in milliseconds, 0.001 and up; 60,000 by default. */
  windowMs?: number;
  /** The share of successes that needs no slowing down, 0.001 to 1; 0.9 by default. */
  targetSuccess?: number;
  /** What a delay is multiplied by while enough calls succeed, 0 to `maxMultiplier`; 1 by default, or `maxMultiplier` if that is less. */
  minMultiplier?: number;
  /** What a delay is multiplied by at most, 0 to 4,000; 5 by default. */
  maxMultiplier?: number;
}

/** Always the same delay, in milliseconds, 0 and up, plus up to `jitterMs`; 0 retries at once. A RangeError for other numbers. */
export function constant(ms: number, settings: Pick<Plain, "jitterMs"> = {}): Backoff {
  const first = number("backoff.constant", ms, DELAY);
  const { jitterMs: jitter } = options("backoff.constant", settings, { jitterMs: JITTER });
  return new Backoff("constant", { first, second: first, jitter });
}

/** `baseMs`, times `factor` (2 by default) each time, up to `maxMs`, plus up to `jitterMs`. */
export function exponential(
  settings: Plain & {
    /** What a delay is multiplied by, 0.001 to 65,535; 2 by default. Below 1 the delays become shorter. */
    factor?: number;
  } = {},
): Backoff {
  const checks: Checks = { ...PLAIN, factor: [2, 0, 0.001, 65_535] };
  const { baseMs: first, maxMs: second, jitterMs: jitter, factor } = options("backoff.exponential", settings, checks);
  if (factor === 2) return new Backoff("exponential", { first, second, jitter });
  return new Backoff("exponentialBy", { first, second, jitter, growth: Math.round(factor * 1000) });
}

/** `baseMs` times 1, 2, 3, .. up to `maxMs`, plus up to `jitterMs`. */
export const linear = /* @__PURE__ */ plain("linear");

/** `baseMs` times 1, 1, 2, 3, 5, 8, .. up to `maxMs`, plus up to `jitterMs`. */
export const fibonacci = /* @__PURE__ */ plain("fibonacci");

/** Between 0 and a cap that doubles from `baseMs` to `maxMs`. */
export const fullJitter = /* @__PURE__ */ span("fullJitter");

/** In the upper half of a cap that doubles from `baseMs` to `maxMs`. */
export const equalJitter = /* @__PURE__ */ span("equalJitter");

/** Between `baseMs` and three times the delay before, up to `maxMs`. */
export const decorrelatedJitter = /* @__PURE__ */ span("decorrelatedJitter");

/** In the upper half of a cap that grows by half from `baseMs` to `maxMs`. */
export const tokenBackoff = /* @__PURE__ */ span("tokenBackoff");

/** These delays in order, the last one again and again: milliseconds, 0 and up, at most 10,000 of them. Without any the call stops with NO_STRATEGY. */
export function sequence(delaysMs: readonly number[]): Backoff {
  const path = "backoff.sequence";
  const list = Array.isArray(delaysMs) ? delaysMs : refuse(path, delaysMs, "an array of milliseconds", []);
  const { length } = list;
  if (length > 10_000) refuse(`${path}.length`, length, "at most 10000 delays", 0, "is out of range");
  const delays = list.map((ms, index) => number(`${path}[${index}]`, ms, DELAY));
  return new Backoff("sequence", { delays });
}

/** The settings of `retryAfterOr`. */
interface Hints {
  /** Up to so much is added to a hint, in milliseconds, 0 and up; 250 by default. */
  jitterMs?: number;
  /** A shorter hint counts as this long, before jitter, in milliseconds, 0 and up; 0 by default. */
  atLeastMs?: number;
  /** A longer hint is not followed: it is a delay that does not fit, as one beyond the deadline is. `atLeastMs` and up; null (the default) for no limit. */
  atMostMs?: number | null;
}

const HINTS: Checks = {
  jitterMs: FIRST,
  atLeastMs: [0, 0, 0, MOST_MS],
  atMostMs: (path, value, { atLeastMs }) => number(path, value, [NaN, NULLABLE, atLeastMs, MOST_MS]),
};

/** What the other side asked for, plus up to `jitterMs`, else `fallback`. */
export function retryAfterOr(fallback: Strategy, settings: Hints = {}): Backoff {
  const path = "backoff.retryAfterOr";
  const { jitterMs: first, atLeastMs: second, atMostMs: most } = options(path, settings, HINTS);
  return new Backoff("retryAfterOr", { first, second, most, fallback: strategy(path, fallback) });
}

const ADAPTIVITY: Checks = {
  windowMs: [60_000, 0, MICROSECOND],
  targetSuccess: [0.9, 0, 0.001, 1],
  maxMultiplier: [5, 0, 0, 4_000],
  minMultiplier: (path, value, { maxMultiplier }) =>
    number(path, value, [Math.min(1, maxMultiplier), 0, 0, maxMultiplier]),
};

/** The delays of `fallback`, multiplied as failures grow; keep one for each upstream. */
export function adaptive(fallback: Strategy, settings: Adaptivity = {}): Backoff {
  const path = "backoff.adaptive";
  const { windowMs, targetSuccess, minMultiplier, maxMultiplier } = options(path, settings, ADAPTIVITY);
  const make = (slot: number) => {
    enterAdaptive();
    const to = table();
    to[AT.Adaptive.window] = micros(windowMs);
    to[AT.Adaptive.targetMilli] = Math.round(targetSuccess * 1000);
    to[AT.Adaptive.leastMilli] = Math.round(minMultiplier * 1000);
    to[AT.Adaptive.mostMilli] = Math.round(maxMultiplier * 1000);
    to[AT.Adaptive.fallback] = slot;
    return adaptive_new();
  };
  return new Backoff("adaptive", { fallback: strategy(path, fallback), make });
}
