// What the core's linter says, in the names and units of the package.

import * as backoff from "../backoff/builtin.js";
import { type Issue, messageOf, show } from "../config/issues.js";
import type { CoreFinding, CoreValue } from "./linter.js";

/** One thing that is wrong or suspicious in a configuration. */
export interface Finding {
  /** An error is refused when it is built; a warning works, but hardly as meant; a note is good to know. */
  readonly severity: "error" | "warning" | "note";
  /** The option, by path: `retry.maxAttempts`. */
  readonly field: string;
  /** What it is; times in milliseconds, a strategy by its name, classes in an array, undefined if it is not set. */
  readonly value: unknown;
  /** What happens as it is; the field is the subject: `is never reached`. */
  readonly problem: string;
  /** The other option that the problem comes from, if there is one. */
  readonly beside:
    | {
        /** That option, by path. */
        readonly field: string;
        /** What it is, in the same form as `value`. */
        readonly value: unknown;
      }
    | undefined;
  /** What to change; "it" is the field. */
  readonly help: string;
  /** All of it in one line. */
  readonly message: string;
}

/** The core's fields under the names of the options. */
const NAMES: Record<string, string> = {
  max_attempts: "retry.maxAttempts",
  deadline: "retry.deadlineMs",
  attempt_timeout: "retry.attemptTimeoutMs",
  max_unknown_attempts: "retry.maxUnknownAttempts",
  max_attempts_for: "retry.perClassMaxAttempts",
  long_delay: "retry.longDelay",
  retriable: "retry.retriable",
  backoff: "retry.strategy",
  backoff_for: "retry.strategies",
  "breaker.failure_threshold": "circuitBreaker.failureThreshold",
  "breaker.window": "circuitBreaker.windowMs",
  "breaker.thresholds": "circuitBreaker.classThresholds",
  "breaker.size": "circuitBreaker.window.size",
  "breaker.slice": "circuitBreaker.window.ms",
  "breaker.min_calls": "circuitBreaker.window.minCalls",
  "breaker.failure_rate_milli": "circuitBreaker.window.rate",
  "breaker.slow_after": "circuitBreaker.window.slow.afterMs",
  "breaker.slow_rate_milli": "circuitBreaker.window.slow.rate",
  "breaker.trip_on": "circuitBreaker.tripOn",
  "breaker.recovery_timeout": "circuitBreaker.recoveryTimeoutMs",
  "breaker.recovery_growth_to": "circuitBreaker.maxRecoveryTimeoutMs",
  "breaker.lease": "circuitBreaker.leaseMs",
  "breaker.half_open_permits": "circuitBreaker.halfOpenPermits",
  "breaker.successes_to_close": "circuitBreaker.successesToClose",
  "breaker.half_open_on": "circuitBreaker.halfOpenOn",
  "breaker.recovery_jitter": "circuitBreaker.recoveryJitterMs",
  "breaker.check_before_retry": "circuitBreaker.checkBeforeRetry",
  "breaker.open_for_hint": "circuitBreaker.openForHintMs",
  "budget.max_retries": "budget.maxRetries",
  "budget.window": "budget.windowMs",
  "budget.ratio_milli": "budget.ratio",
  "budget.initial": "budget.initial",
  "budget.floor_per_sec": "budget.floorPerSec",
  "budget.limit": "budget.limit",
  "the longest call": "the longest call in ms",
};

/** The settings of a strategy under the names of the options. */
const PARTS: Record<string, string> = {
  base: "baseMs",
  max: "maxMs",
  delay: "delayMs",
  delays: "delaysMs",
  at_least: "atLeastMs",
  at_most: "atMostMs",
};

/** What the core calls a field or a strategy in the middle of a sentence. */
const WORDS: Record<string, string> = {
  ...PARTS,
  ...Object.fromEntries(
    Object.entries(NAMES).map(([name, option]) => [name.split(".").at(-1)!, option.split(".").at(-1)!]),
  ),
};

/** The core's finding about `settings`, which has the options of retrying under `retry`. */
export function finding({ severity, class: name, part, ...found }: CoreFinding, settings: unknown): Finding {
  const parts = part === null ? [] : part.split(".").map((own) => PARTS[own] ?? own);
  const path = [NAMES[found.field] ?? found.field, ...(name === null ? [] : [name]), ...parts];
  const field = path.join(".");
  const value = numberAt(settings, field) ?? settingOf(found.field, found.value);
  let beside: Finding["beside"];
  if (found.beside !== null) {
    const sibling = PARTS[found.beside.field];
    const other =
      sibling === undefined
        ? (NAMES[found.beside.field] ?? found.beside.field)
        : [...path.slice(0, -1), sibling].join(".");
    beside = { field: other, value: numberAt(settings, other) ?? settingOf(found.beside.field, found.beside.value) };
  }
  const [problem, help] = [translated(found.problem), translated(found.help)];
  const subject = value === undefined ? field : `${field} (${textOf(value)})`;
  const from = beside === undefined ? "" : `: ${beside.field} is ${textOf(beside.value)}`;
  return { severity, field, value, problem, beside, help, message: `${subject} ${problem}${from}; ${help}` };
}

/** An option as it is set, if that is a number. */
function numberAt(settings: unknown, path: string): number | undefined {
  const option = at(settings, path.split("."));
  return typeof option === "number" ? option : undefined;
}

function settingOf(field: string, found: CoreValue): unknown {
  if (found === null) return undefined;
  if (typeof found === "number") return field.endsWith("_milli") ? found / 1000 : found;
  if (typeof found !== "object") return found;
  if ("micros" in found) return found.micros / 1000;
  if ("strategy" in found) return kindOf(found.strategy);
  return found;
}

/** The core's name of a strategy as the package's; that of a function as it is. */
function kindOf(name: string): string {
  const kind = camelCase(name);
  return kind in backoff ? kind : name;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A sentence of the core with the package's names: those of several words are fields or strategies. */
function translated(sentence: string): string {
  return sentence.replace(/[a-z]+(?:_[a-z]+)+/g, (word) => WORDS[word] ?? camelCase(word));
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  return value === undefined ? "not set" : String(value);
}

/** What a construction refuses, as a finding. */
export function refused(issue: Issue): Finding {
  const { path, value, expected } = issue;
  const isNamed = issue.problem === "is no option" || issue.problem === "is no class";
  const problem = issue.problem === "is not" ? `is not ${expected}` : issue.problem;
  const help = `it must be ${isNamed ? "one of " : ""}${expected}`;
  return { severity: "error", field: path, value, problem, beside: undefined, help, message: messageOf(issue) };
}

/** What is at the end of these keys. */
export function at(settings: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], settings);
}

/** A strategy in the printed form, or anything that stands in its place. */
export function text(value: unknown): string {
  const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? JSON.stringify(value) : show(value);
}
