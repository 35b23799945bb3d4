// Policies as JSON has them: strategies, breaker and budget by their options.

import * as backoff from "../backoff/builtin.js";
import { Backoff, strategy } from "../backoff/strategy.js";
import { CircuitBreaker } from "../policy/breaker.js";
import { Budget } from "../policy/budget.js";
import { type RateWindow, windowOf } from "../policy/windows.js";
import { isOptions, known } from "./checks.js";
import { collect, refuse } from "./issues.js";

type Settings = Record<string, any>;

/**
 * A policy that was read from JSON: the options of a `Policy` or of a `RetryPolicy`, where a
 * strategy is `{ "kind": "equalJitter", "baseMs": 100 }` (or `"equalJitter"` alone), after the
 * functions of `backoff`; a constant one has `delayMs`, a sequence `delaysMs`, and what falls
 * back has a `fallback`. A breaker and a budget are their options.
 */
export class PolicyJson {
  /** What was read. */
  readonly settings: unknown;

  /** Settings as `JSON.parse` gives them; they are checked when they are linted. */
  constructor(settings: unknown) {
    this.settings = settings;
  }
}

/** The options of a policy of those in JSON. */
export function policyOptions(json: Settings): Settings {
  const settings = retryOptions(json);
  const { circuitBreaker, retry } = settings;
  if (isOptions(circuitBreaker)) {
    const window = windowOf(circuitBreaker["window"]) as RateWindow | undefined;
    settings["circuitBreaker"] = new CircuitBreaker({ ...circuitBreaker, window });
  }
  if (isOptions(retry)) settings["retry"] = retryOptions(retry);
  return settings;
}

function retryOptions(json: Settings): Settings {
  const settings = { ...json };
  const { budget, strategy, strategies } = settings;
  if (isOptions(budget)) settings["budget"] = new Budget(budget as never);
  if (strategy !== undefined) settings["strategy"] = strategyOf("retry.strategy", strategy);
  if (isOptions(strategies)) {
    const own = Object.entries(strategies).map(([name, one]) => [name, strategyOf(`retry.strategies.${name}`, one)]);
    settings["strategies"] = Object.fromEntries(own);
  }
  return settings;
}

/** Makes a strategy of its settings; the path is its own. */
type Maker = (path: string, settings: Settings) => Backoff;
/** The functions of `backoff`, which refuse under their own paths. */
const FUNCTIONS = backoff as unknown as Record<string, (...values: any[]) => Backoff>;

/** Of options alone. */
const ofOptions =
  (kind: string): Maker =>
  (path, settings) =>
    under(`backoff.${kind}`, path, () => FUNCTIONS[kind]!(settings));

/** Of one value, which is an option in JSON. */
const ofValue =
  (kind: string, option: string): Maker =>
  (path, settings) => {
    const value = known(path, settings, [option])[option];
    return under(`backoff.${kind}`, `${path}.${option}`, () => FUNCTIONS[kind]!(value));
  };

/** A constant delay: its value is an option in JSON, too. */
const constant: Maker = (path, settings) => {
  const { delayMs, jitterMs } = known(path, settings, ["delayMs", "jitterMs"]);
  const made = under("backoff.constant", `${path}.delayMs`, () => backoff.constant(delayMs as number));
  if (jitterMs === undefined) return made;
  const { jitter } = under("backoff.constant", path, () => backoff.constant(0, { jitterMs: jitterMs as number })).parts;
  return new Backoff("constant", { ...made.parts, jitter: jitter! });
};

/** Of another strategy and options. */
const ofStrategy =
  (kind: string): Maker =>
  (path, { fallback, ...settings }) => {
    const inner = strategyOf(`${path}.fallback`, fallback);
    return under(`backoff.${kind}`, path, () => FUNCTIONS[kind]!(inner, settings));
  };

const MAKERS: Record<string, Maker> = {
  ...Object.fromEntries(Object.keys(backoff).map((kind) => [kind, ofOptions(kind)])),
  constant,
  sequence: ofValue("sequence", "delaysMs"),
  retryAfterOr: ofStrategy("retryAfterOr"),
  adaptive: ofStrategy("adaptive"),
};

function strategyOf(path: string, json: unknown): Backoff {
  const options = typeof json === "string" ? { kind: json } : json;
  if (!isOptions(options)) return strategy(path, options);
  const { kind, ...settings } = options;
  if (typeof kind === "string" && Object.hasOwn(MAKERS, kind)) return MAKERS[kind]!(path, settings);
  return refuse(`${path}.kind`, kind, `one of ${Object.keys(MAKERS).join(", ")}`, backoff.constant(0));
}

/** Builds something whose issues have paths in JSON: `to` is where its own paths have `from`. */
function under<T>(from: string, to: string, build: () => T): T {
  const { value, issues } = collect(build);
  for (const { path, value, expected, problem } of issues) {
    refuse(to + path.slice(from.length), value, expected, undefined, problem);
  }
  return value;
}
