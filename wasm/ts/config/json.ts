// Policies as JSON has them: strategies, breaker and budgets by their options, classifiers by their names.

import * as backoff from "../backoff/builtin.js";
import { Backoff, strategy } from "../backoff/strategy.js";
import { CircuitBreaker } from "../policy/breaker.js";
import { Budget } from "../policy/budget.js";
import { type RateWindow, windowOf } from "../policy/windows.js";
import { isOptions, known, number, WHOLE } from "./checks.js";
import { collect, refuse } from "./issues.js";

type Settings = Record<string, any>;

/**
 * A policy that was read from JSON: the options of a `Policy` or of a `RetryPolicy`, where a
 * strategy is `{ "kind": "equalJitter", "baseMs": 100 }` (or `"equalJitter"` alone), after the
 * functions of `backoff`; a constant one has `delayMs`, a sequence `delaysMs`, and what falls
 * back has a `fallback`. A breaker and a budget are their options, a classifier is its name.
 */
export class PolicyJson {
  /** What was read. */
  readonly settings: unknown;

  /** Settings as `JSON.parse` gives them; they are checked when they are linted. */
  constructor(settings: unknown) {
    this.settings = settings;
  }
}

/** What the parts of a policy in JSON become. */
export interface Making {
  /** A breaker; `capacity` is how many keys have one at most, if each has its own. */
  breaker(settings: Settings, capacity: number): unknown;
  /** The budget of all calls. */
  budget(settings: Settings): unknown;
  /** A budget for each key, in place of that of all calls; undefined if keys have none. */
  budgetByKey(settings: Settings, capacity: number): unknown;
  /** The classifier of this name. */
  classifier(path: string, name: string): unknown;
  /** A strategy with a memory: that of the reading before, if neither its path nor its settings have changed. */
  remembering(path: string, settings: Settings, make: () => Backoff): Backoff;
}

/** What is looked at, and never called. */
const LOOKED_AT: Making = {
  breaker: (settings) => new CircuitBreaker(settings),
  budget: (settings) => new Budget(settings as never),
  budgetByKey: (settings) => void new Budget(settings as never),
  classifier: () => () => null,
  remembering: (_path, _settings, make) => make(),
};

/** How many keys have a breaker or a budget of their own at most. */
const KEYS = 1_000;
const MOST_KEYS = 100_000;

/** Whether it is of a `Policy`, whose retrying is an object of its own, and not of a `RetryPolicy`. */
export function isWhole(json: Settings): boolean {
  return "retry" in json || "circuitBreaker" in json;
}

/** The options of a policy of those in JSON. */
export function policyOptions(json: Settings, making: Making = LOOKED_AT): Settings {
  const { capacity, budgetByKey, ...given } = json;
  const room = number("capacity", capacity, [KEYS, WHOLE, 1, MOST_KEYS]);
  const settings = retryOptions(given, making, isWhole(json) ? "" : "retry.");
  const circuitBreaker = part("circuitBreaker", settings);
  if (circuitBreaker !== undefined) {
    const window = windowOf(circuitBreaker["window"]) as RateWindow | undefined;
    settings["circuitBreaker"] = making.breaker({ ...circuitBreaker, window }, room);
  }
  const retry = part("retry", settings);
  if (retry !== undefined) settings["retry"] = retryOptions(retry, making, "retry.");
  const own = part("budgetByKey", { budgetByKey });
  if (own !== undefined) {
    const ofKeys = under("budget", "budgetByKey", () => making.budgetByKey(own, room));
    const holder = isOptions(settings["retry"]) ? settings["retry"] : settings;
    if (ofKeys !== undefined) holder["budget"] = ofKeys;
  }
  return settings;
}

/** The part of this name, which is an object of options, if it is there; what is none is refused and left out. */
function part(name: string, settings: Settings): Settings | undefined {
  const value: unknown = settings[name];
  if (value === undefined || isOptions(value)) return value;
  refuse(name, value, "an object of options");
  settings[name] = undefined;
  return undefined;
}

function retryOptions(json: Settings, making: Making, within: string): Settings {
  const settings = { ...json };
  for (const name of ["classifier", "resultClassifier"]) {
    const classifier = settings[name];
    if (typeof classifier === "string") settings[name] = making.classifier(within + name, classifier);
  }
  // A copy of an array would be an object by class.
  for (const name of ["strategies", "perClassMaxAttempts", "retriable"]) {
    if (!Array.isArray(settings[name])) continue;
    refuse(`retry.${name}`, settings[name], "an object by class");
    settings[name] = undefined;
  }
  const { strategy, strategies } = settings;
  const budget = part("budget", settings);
  if (budget !== undefined) settings["budget"] = making.budget(budget);
  if (strategy !== undefined) settings["strategy"] = strategyOf("retry.strategy", strategy, making);
  if (isOptions(strategies)) {
    const own = Object.entries(strategies).map(([name, one]) => [
      name,
      strategyOf(`retry.strategies.${name}`, one, making),
    ]);
    settings["strategies"] = Object.fromEntries(own);
  }
  return settings;
}

/** Makes a strategy of its settings; the path is its own. */
type Maker = (path: string, settings: Settings, making: Making) => Backoff;
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
  (path, { fallback, ...settings }, making) => {
    const inner = strategyOf(`${path}.fallback`, fallback, making);
    return under(`backoff.${kind}`, path, () => FUNCTIONS[kind]!(inner, settings));
  };

const MAKERS: Record<string, Maker> = {
  ...Object.fromEntries(Object.keys(backoff).map((kind) => [kind, ofOptions(kind)])),
  constant,
  sequence: ofValue("sequence", "delaysMs"),
  retryAfterOr: ofStrategy("retryAfterOr"),
  adaptive: (path, settings, making) =>
    making.remembering(path, settings, () => ofStrategy("adaptive")(path, settings, making)),
};

function strategyOf(path: string, json: unknown, making: Making): Backoff {
  const options = typeof json === "string" ? { kind: json } : json;
  if (!isOptions(options)) return strategy(path, options);
  const { kind, ...settings } = options;
  if (typeof kind === "string" && Object.hasOwn(MAKERS, kind)) return MAKERS[kind]!(path, settings, making);
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
