// A policy of settings in JSON that the linter has found no error in, on a clock and a random generator of our own.

import { type Backoff, Budget, backoff, CircuitBreaker, Policy, rateOfCalls, rateOverTime } from "redress";
import type { Settings } from "./settings.js";

/** Where time and randomness come from. */
export interface Source {
  readonly clock: () => number;
  readonly random: () => number;
}

/** A policy with what calls share. */
export interface Guarded {
  readonly policy: Policy;
  readonly budget: Budget | undefined;
  readonly breaker: CircuitBreaker | undefined;
}

/** The whole policy. */
export function guarded(settings: Settings, source: Source): Guarded {
  const { retry, budget: ofPolicy, circuitBreaker, ...hooks } = settings;
  const given = retry?.budget ?? ofPolicy;
  const budget = given && new Budget({ ...given, clock: source.clock });
  const breaker = circuitBreaker && breakerOf(circuitBreaker, source.clock);
  const shared = { ...hooks, ...source, budget, circuitBreaker: breaker };
  return { policy: new Policy(retry ? { ...shared, retry: retryOf(retry) } : shared), budget, breaker };
}

/** Its retries alone, without budget and breaker. */
export function unguarded({ budget: _, circuitBreaker: __, ...settings }: Settings, source: Source): Guarded {
  const { budget: ___, ...retry } = settings["retry"] ?? {};
  return guarded({ ...settings, retry }, source);
}

function retryOf({ budget: _, strategy, strategies, ...limits }: Settings): Settings {
  const own = Object.entries(strategies ?? {}).map(([name, one]) => [name, strategyOf(one)]);
  return { ...limits, ...(strategy && { strategy: strategyOf(strategy) }), strategies: Object.fromEntries(own) };
}

function strategyOf(json: any): Backoff {
  const { kind, fallback, delayMs, delaysMs, ...options } = typeof json === "string" ? { kind: json } : json;
  if (kind === "constant") return backoff.constant(delayMs, options);
  if (kind === "sequence") return backoff.sequence(delaysMs);
  const make = backoff[kind as keyof typeof backoff] as (...values: unknown[]) => Backoff;
  return fallback === undefined ? make(options) : make(strategyOf(fallback), options);
}

function breakerOf({ window, ...options }: Settings, clock: Source["clock"]): CircuitBreaker {
  if (window === undefined) return new CircuitBreaker({ ...options, clock });
  const { kind, ...own } = window;
  return new CircuitBreaker({ ...options, clock, window: kind === "calls" ? rateOfCalls(own) : rateOverTime(own) });
}
