// `redress/lint`: what is wrong or suspicious in a configuration, by the core's linter.

import * as backoff from "../backoff/builtin.js";
import { Backoff } from "../backoff/strategy.js";
import { isOptions } from "../config/checks.js";
import { collect, show as shownValue } from "../config/issues.js";
import { PolicyJson, policyOptions } from "../config/json.js";
import type { KeyedPolicy } from "../policy/keyed.js";
import { Policy, type PolicyHooks, type PolicyOptions, type Retry, RetryPolicy } from "../policy/policy.js";
import { RETRY_KEYS, type RetryConfig, type RetryOptions } from "../policy/retry-options.js";
import type { ErrorClass } from "../types.js";
import { LAYOUT } from "../wasm/modules/layout.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";
import { type Finding, finding, refused, text } from "./findings.js";
import { ask } from "./linter.js";
import { type ConfigSnapshot, entries, printed, withRefused } from "./snapshot.js";

export { PolicyJson } from "../config/json.js";
export type { Finding } from "./findings.js";
export type { ConfigSnapshot } from "./snapshot.js";

/** What can be linted: what was built, or what it would be built from. */
export type Lintable =
  | Policy
  | KeyedPolicy
  | Retry
  | RetryConfig
  | PolicyOptions
  | (RetryOptions & PolicyHooks)
  | PolicyJson;

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
export function describe(subject: Lintable, source = "config"): ConfigSnapshot {
  const { answer, issues, retry, sleep } = examine(subject);
  if (answer.shown === null) throw new TypeError("Policy has no retry component configured.");
  return withRefused(entries(answer.shown, source, sleep), issues, retry);
}

/** The same as `redress doctor --show` prints it: times in seconds, classes in alphabetical order. */
export function show(subject: Lintable, source = "config"): string {
  return printed(describe(subject, source));
}

/** Stands in for strategies of which something is refused. */
const STAND_IN = backoff.constant(0);

function examine(subject: unknown) {
  const given = settingsOf(subject);
  const isPolicy = "retry" in given || "circuitBreaker" in given;
  const { value: settings, issues: all } = collect(() => {
    const settings = subject instanceof PolicyJson ? policyOptions(given) : given;
    const { retry } = settings;
    if (isPolicy) new Policy({ ...settings, retry: isOptions(retry) ? native(retry) : retry });
    else new RetryPolicy(native(settings));
    return settings;
  });
  // That there is no strategy is a finding of the core.
  const issues = all.filter(({ path, value }) => path !== "retry.strategy" || value !== undefined);
  /** Whether something is wrong with this or in it. */
  const isWrong = (field: string) =>
    issues.some(({ path }) => path.startsWith(field) && ["", ".", "["].includes(path.charAt(field.length)));
  const own: unknown = isPolicy ? settings["retry"] : settings;
  const retry = isOptions(own) ? own : {};
  const breaker = settings["circuitBreaker"] as Settings | undefined;
  const budget = (retry["budget"] ?? settings["budget"]) as Settings | undefined;
  const answer = ask({
    retry: own === undefined ? undefined : rightOf(retry, isWrong, !isOptions(own)),
    // Without its window or its numbers there is nothing to look at.
    breaker: isWrong("circuitBreaker.window") ? undefined : named(breaker),
    budget: isWrong("budget") ? undefined : named(budget),
  });
  const findings = answer.findings
    .map((found) => finding(found, { retry }))
    // Where something is wrong the core has looked at the default.
    .filter(({ field }) => !isWrong(field));
  return {
    findings: [...issues.map(refused), ...findings],
    answer,
    issues,
    retry: (isPolicy ? given["retry"] : given) as unknown,
    sleep: settings["sleep"] as unknown,
  };
}

/** The options that a configuration was made of, or is. */
function settingsOf(subject: unknown): Settings {
  const given = (subject instanceof PolicyJson ? subject.settings : subject) as Settings | null | undefined;
  if (!isOptions(given)) throw unfit(given);
  if (typeof given["at"] === "function" && isOptions(given["template"])) return settingsOf(given["template"]);
  // By what they have: a module that is linted may use another copy of the package.
  if (typeof given["call"] === "function") {
    if ("circuitBreaker" in given && "setting" in given) {
      const { retry, circuitBreaker, setting } = given;
      return { ...setting.hooks, retry: retry?.config && { ...retry.config }, circuitBreaker };
    }
    if (isOptions(given["config"])) return { ...given["config"] };
    throw unfit(given);
  }
  if (!isConfiguration(given)) throw unfit(given);
  const settings = { ...given };
  const { retry } = settings;
  if (isOptions(retry)) settings["retry"] = { ...(isOptions(retry["config"]) ? retry["config"] : retry) };
  return settings;
}

/** An object literal, or an instance that has options of retrying; neither breaker nor budget. */
function isConfiguration(given: Settings): boolean {
  if (typeof given["admit"] === "function" || typeof given["consume"] === "function") return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  const isLiteral = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isLiteral || Object.keys(given).some((key) => RETRY_KEYS.includes(key));
}

function unfit(given: unknown): TypeError {
  const name = isOptions(given) ? given["constructor"]?.name : undefined;
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
    strategies !== undefined && (!isOptions(strategies) || Object.values(strategies).some((own) => own !== undefined))
  );
}

function mapped(values: Settings, change: (value: unknown) => unknown): Settings {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

function isBackoff(value: unknown): value is Pick<Backoff, "kind" | "parts"> {
  return isOptions(value) && typeof value["kind"] === "string" && isOptions(value["parts"]);
}

/** Options of retrying, with strategies of another copy of the package as those of this. */
function native(retry: Settings): any {
  const { strategy, strategies } = retry;
  return {
    ...retry,
    strategy: nativeStrategy(strategy),
    strategies: isOptions(strategies) ? mapped(strategies, nativeStrategy) : strategies,
  };
}

function nativeStrategy(value: unknown): unknown {
  return isBackoff(value) && !(value instanceof Backoff) ? new Backoff(value.kind, value.parts) : value;
}

/** What the core's linter looks at: the options of retrying with which nothing is wrong. */
function rightOf(retry: Settings, isWrong: (field: string) => boolean, isReplaced: boolean): Settings {
  const right = (name: string, value: unknown = retry[name]) => (isWrong(`retry.${name}`) ? undefined : value);
  const byClass = (name: string) => {
    const entries = Object.entries(isOptions(retry[name]) ? retry[name] : {});
    const known = entries.filter(([key]) => ERROR_CLASSES.includes(key as ErrorClass));
    return Object.fromEntries(known.map(([key, value]) => [key, right(`${name}.${key}`, value)]));
  };
  const names = ["maxAttempts", "deadlineMs", "attemptTimeoutMs", "maxUnknownAttempts", "longDelay"];
  const strategies = { strategy: right("strategy"), strategies: byClass("strategies") };
  const isStandIn = (isReplaced || hasStrategy(retry)) && !hasStrategy(strategies);
  return {
    ...Object.fromEntries(names.map((name) => [name, right(name)])),
    perClassMaxAttempts: byClass("perClassMaxAttempts"),
    retriable: byClass("retriable"),
    strategy: partsOf(isStandIn ? STAND_IN : strategies.strategy),
    strategies: mapped(strategies.strategies, partsOf),
  };
}

function partsOf(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (!isBackoff(value))
    return { kind: "function", name: typeof value === "object" ? value?.constructor.name : text(value) };
  const { own, fallback, ...numbers } = value.parts;
  return { kind: value.kind, ...numbers, fallback: partsOf(fallback), name: own && text(own) };
}
