// `redress/lint`: what is wrong or suspicious in a configuration, by the core's linter.

import * as backoff from "../backoff/strategies.js";
import { Backoff } from "../backoff/strategy.js";
import { isSettings, revived, WrittenPolicy } from "../config/json.js";
import { show as shownValue } from "../config/options.js";
import { accepted, type Refusal } from "../config/refusals.js";
import type { KeyedPolicy } from "../policy/keyed.js";
import { Policy, type PolicyHooks, type PolicyOptions, type Retry, RetryPolicy } from "../policy/policy.js";
import { RETRY_KEYS, type RetryConfig, type RetryOptions } from "../policy/rules.js";
import { LAYOUT } from "../wasm/modules/layout.js";
import { type Finding, finding, refused, text } from "./findings.js";
import { ask } from "./linter.js";
import { entries, overlaid, printed, type Shown } from "./report.js";

export { WrittenPolicy } from "../config/json.js";
export type { Finding } from "./findings.js";
export type { Shown } from "./report.js";

/** What can be linted: what was built, or what it would be built from. */
export type Lintable =
  | Policy
  | KeyedPolicy
  | Retry
  | RetryConfig
  | PolicyOptions
  | (RetryOptions & PolicyHooks)
  | WrittenPolicy;

type Settings = Record<string, any>;

/**
 * Everything that is wrong or suspicious, nothing for a clean configuration.
 *
 * Options need not have been accepted before: what a construction refuses are the errors.
 * A breaker or a budget is looked at until it is first used; from then on its settings are
 * the engine's alone. Throws a TypeError for what is no configuration.
 */
export function lint(subject: Lintable): Finding[] {
  return examine(subject).findings;
}

/** The values that a configuration comes to, with all defaults. Throws a TypeError if it does not retry. */
export function describe(subject: Lintable, source = "config"): Shown {
  const { answer, refusals, retry, sleep } = examine(subject);
  if (answer.shown === null) throw new TypeError("Policy has no retry component configured.");
  return overlaid(entries(answer.shown, source, sleep), refusals, retry);
}

/** The same as `redress doctor --show` prints it: times in seconds, classes in alphabetical order. */
export function show(subject: Lintable, source = "config"): string {
  return printed(describe(subject, source));
}

const STAND_IN = backoff.constant(0);

function examine(subject: unknown) {
  const refusals: Refusal[] = [];
  const given = settingsOf(subject);
  const offered = subject instanceof WrittenPolicy ? revived(given, refusals) : given;
  const isPolicy = "retry" in given || "circuitBreaker" in given;
  const retry = isPolicy ? given["retry"] : given;
  const build = isPolicy
    ? (settings: Settings) =>
        new Policy({ ...settings, retry: isSettings(settings["retry"]) ? ready(settings["retry"]) : settings["retry"] })
    : (settings: Settings) => new RetryPolicy(ready(settings));
  // What a retry is refused for may be its own or lent by its policy.
  const places = (keys: readonly string[]) => (keys[0] === "retry" ? [keys, keys.slice(1)] : [keys.slice(1)]);
  const settings: Settings = accepted(offered, { build, places }, refusals)?.settings ?? {};

  const right: Settings | undefined = isPolicy ? settings["retry"] : settings;
  const budget: unknown = right?.["budget"] ?? settings["budget"];
  const question = {
    retry: retry === undefined ? undefined : facts(right ?? {}, !isSettings(retry) || hasStrategy(retry)),
    breaker: named(settings["circuitBreaker"]),
    budget: named(budget),
  };
  const answer = ask(question);
  const findings = [...refusals.map(refused), ...answer.findings.map((found) => finding(found, { retry: right }))];
  return { findings, answer, refusals, retry, sleep: settings["sleep"] as unknown };
}

/** The options that a configuration was made of, or is. */
function settingsOf(subject: unknown): Settings {
  const given = (subject instanceof WrittenPolicy ? subject.settings : subject) as Settings | null | undefined;
  if (!isSettings(given)) throw unfit(given);
  if (typeof given["at"] === "function" && isSettings(given["template"])) return settingsOf(given["template"]);
  // By what they have: a module that is linted may use another copy of the package.
  if (typeof given["call"] === "function") {
    if ("circuitBreaker" in given && "setting" in given) {
      const { retry, circuitBreaker, setting } = given;
      return { ...setting.hooks, retry: retry?.config && { ...retry.config }, circuitBreaker };
    }
    if (isSettings(given["config"])) return { ...given["config"] };
    throw unfit(given);
  }
  if (!isOptions(given)) throw unfit(given);
  const settings = { ...given };
  const { retry } = settings;
  if (isSettings(retry)) settings["retry"] = { ...(isSettings(retry["config"]) ? retry["config"] : retry) };
  return settings;
}

/** An object literal, or an instance that has options of retrying; neither breaker nor budget. */
function isOptions(given: Settings): boolean {
  if (typeof given["admit"] === "function" || typeof given["consume"] === "function") return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  const isLiteral = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isLiteral || Object.keys(given).some((key) => RETRY_KEYS.includes(key));
}

function unfit(given: unknown): TypeError {
  const name = isSettings(given) ? given["constructor"]?.name : undefined;
  return new TypeError(
    `Expected a RetryConfig, Retry, RetryPolicy, Policy or their options, got ${name ?? shownValue(given)}`,
  );
}

/** The settings of a breaker or a budget by the names that the core has for them. */
function named(made: unknown): Settings | undefined {
  const { kind, numbers } = (made ?? {}) as { kind?: keyof typeof LAYOUT; numbers?: readonly number[] };
  if (kind === undefined || numbers === undefined || !(kind in LAYOUT)) return undefined;
  const places = Object.entries<number>(LAYOUT[kind]);
  const fields = places.map(([name, at], nth) => {
    const [one, ...more] = numbers.slice(at, places[nth + 1]?.[1]);
    return [name, more.length === 0 ? one : [one, ...more]];
  });
  return Object.fromEntries(fields);
}

function hasStrategy({ strategy, strategies }: Settings): boolean {
  if (strategy !== undefined) return true;
  return (
    strategies !== undefined && (!isSettings(strategies) || Object.values(strategies).some((own) => own !== undefined))
  );
}

/** Options that lack nothing: without any strategy it is the core's linter that complains. */
function ready(retry: Settings): any {
  const { strategy, strategies } = retry;
  const settings: Settings = { ...retry, strategy: native(strategy) };
  if (isSettings(strategies)) settings["strategies"] = mapped(strategies, native);
  if (!hasStrategy(retry)) settings["strategy"] = STAND_IN;
  return settings;
}

function mapped(values: Settings, change: (value: unknown) => unknown): Settings {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

function isBackoff(value: unknown): value is Pick<Backoff, "kind" | "parts"> {
  return isSettings(value) && typeof value["kind"] === "string" && isSettings(value["parts"]);
}

/** A strategy of another copy of the package as one of this. */
function native(value: unknown): unknown {
  return isBackoff(value) && !(value instanceof Backoff) ? new Backoff(value.kind, value.parts) : value;
}

/** What the core's linter looks at. */
function facts(retry: Settings, hadStrategy: boolean): Settings {
  const { maxAttempts, deadlineMs, attemptTimeoutMs, maxUnknownAttempts, perClassMaxAttempts, longDelay, retriable } =
    retry;
  const asked: Settings = hadStrategy && !hasStrategy(retry) ? { strategy: STAND_IN } : retry;
  const { strategy, strategies = {} } = asked;
  return {
    ...{ maxAttempts, deadlineMs, attemptTimeoutMs, maxUnknownAttempts, perClassMaxAttempts, longDelay, retriable },
    strategy: partsOf(strategy),
    strategies: mapped(strategies, partsOf),
  };
}

function partsOf(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (!isBackoff(value))
    return { kind: "function", name: typeof value === "object" ? value?.constructor.name : text(value) };
  const { own, fallback, ...numbers } = value.parts;
  return { kind: value.kind, ...numbers, fallback: partsOf(fallback), name: own && text(own) };
}
