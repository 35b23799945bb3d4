// Policies as JSON has them: strategies, breaker and budget by their options.

import * as backoff from "../backoff/strategies.js";
import type { Backoff } from "../backoff/strategy.js";
import { CircuitBreaker } from "../policy/breaker.js";
import { Budget } from "../policy/budget.js";
import { type RateWindow, windowOf } from "../policy/windows.js";
import { options } from "./options.js";
import { accepted, type Refusal } from "./refusals.js";

type Settings = Record<string, any>;

/**
 * A policy that was read from JSON: the options of a `Policy` or of a `RetryPolicy`, where a
 * strategy is `{ "kind": "equalJitter", "baseMs": 100 }` (or `"equalJitter"` alone), after the
 * functions of `backoff`; a constant one has `delayMs`, a sequence `delaysMs`, and what falls
 * back has a `fallback`. A breaker and a budget are their options.
 */
export class WrittenPolicy {
  /** What was read. */
  readonly settings: unknown;

  /** Settings as `JSON.parse` gives them; they are checked when they are linted. */
  constructor(settings: unknown) {
    this.settings = settings;
  }
}

/** Makes of the settings in JSON what a policy takes; what cannot be made is left out and told. */
export function revived(written: Settings, refusals: Refusal[]): Settings {
  const settings = { ...written };
  const { circuitBreaker, retry } = settings;
  if (isSettings(circuitBreaker)) {
    const build = (given: Settings) =>
      new CircuitBreaker({ ...given, window: windowOf(given["window"]) as RateWindow | undefined });
    settings["circuitBreaker"] = accepted(circuitBreaker, { build }, refusals)?.built;
  }
  if (isSettings(retry)) settings["retry"] = revivedRetry(retry, refusals);
  return revivedRetry(settings, refusals);
}

function revivedRetry(written: Settings, refusals: Refusal[]): Settings {
  const settings = { ...written };
  const { budget, strategy, strategies } = settings;
  if (isSettings(budget)) {
    const build = (given: Settings) => new Budget(given as never);
    settings["budget"] = accepted(budget, { build }, refusals)?.built;
  }
  if (strategy !== undefined) settings["strategy"] = strategyOf("retry.strategy", ["strategy"], strategy, refusals);
  if (isSettings(strategies)) {
    const entries = Object.entries(strategies).map(([name, own]) => {
      return [name, strategyOf(`retry.strategies.${name}`, ["strategies", name], own, refusals)];
    });
    settings["strategies"] = Object.fromEntries(entries);
  }
  return settings;
}

/** How each kind is made of its settings. */
const MAKERS: Record<string, (settings: Settings) => Backoff> = {
  ...(backoff as unknown as typeof MAKERS),
  constant: (settings) => backoff.constant(options("backoff.constant", settings, ["delayMs"])["delayMs"]),
  sequence: (settings) => backoff.sequence(options("backoff.sequence", settings, ["delaysMs"])["delaysMs"]),
  retryAfterOr: ({ fallback, ...settings }) => backoff.retryAfterOr(fallback, settings),
  adaptive: ({ fallback, ...settings }) => backoff.adaptive(fallback, settings),
};
/** The setting that a strategy's own name stands for in what its construction says. */
const NAMELESS: Record<string, string> = {
  constant: "delayMs",
  sequence: "delaysMs",
  retryAfterOr: "fallback",
  adaptive: "fallback",
};

function strategyOf(field: string, keys: readonly string[], written: unknown, refusals: Refusal[]): unknown {
  const given = typeof written === "string" ? { kind: written } : written;
  // What is no strategy at all is refused by the policy that it is for.
  if (!isSettings(given)) return given;
  const { kind, ...settings } = given;
  if (typeof kind !== "string" || !Object.hasOwn(MAKERS, kind)) {
    const expected = `one of ${Object.keys(MAKERS).join(", ")}`;
    const message = `${field}.kind: ${JSON.stringify(kind)} is no strategy; there are ${expected.slice(7)}`;
    refusals.push({ field: `${field}.kind`, keys, value: kind, problem: "is no strategy", expected, message });
    return undefined;
  }
  const root = `backoff.${kind}`;
  const inner = NAMELESS[kind];
  if (inner === "fallback" && settings["fallback"] !== undefined) {
    settings["fallback"] = strategyOf(`${field}.fallback`, keys, settings["fallback"], refusals) ?? backoff.constant(0);
  }
  const found: Refusal[] = [];
  const trial = {
    build: MAKERS[kind]!,
    places: ([, , ...rest]: readonly string[]) => [rest, inner === undefined ? [] : [inner, ...rest]],
    rename: (path: string) => {
      const rest = path.slice(root.length);
      return rest.startsWith(".") || inner === undefined ? field + rest : `${field}.${inner}${rest}`;
    },
  };
  const built = accepted(settings, trial, found)?.built;
  refusals.push(...found.map((refusal) => ({ ...refusal, keys })));
  return built;
}

/** Whether it is an object of options. */
export function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
