// What the core's linter says, in the names and units of the package.

import type { Found } from "./linter.js";
import { show } from "./options.js";
import { type Refusal, at } from "./refusals.js";

/** One thing that is wrong or suspicious in a configuration. */
export interface Finding {
  /** An error is refused when it is built; a warning works, but hardly as meant; a note is good to know. */
  readonly severity: "error" | "warning" | "note";
  /** The option, by path: `retry.maxAttempts`. */
  readonly field: string;
  /** What it is; times in milliseconds, a strategy by its name, undefined if it is not set. */
  readonly value: unknown;
  /** What would be right; of a note, what it means. */
  readonly expected: string;
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
};

/** What the core calls a field in the middle of a sentence. */
const WORDS: Record<string, string> = {
  at_least: "atLeastMs",
  at_most: "atMostMs",
  ...Object.fromEntries(
    Object.entries(NAMES)
      .map(([name, option]) => [name.split(".").at(-1)!, option.split(".").at(-1)!])
      .filter(([name]) => name!.includes("_")),
  ),
};

/** The core's finding about `settings`, which has the options of retrying under `retry`. */
export function finding({ severity, field, class: name, value: found, right }: Found, settings: unknown): Finding {
  const option = (NAMES[field] ?? field) + (name === null ? "" : `.${name}`);
  const written = at(settings, option.split("."));
  const value = typeof written === "number" ? written : valueOf(field, found);
  const expected = right.replace(/[a-z]+(?:_[a-z]+)+/g, (word) => WORDS[word] ?? word);
  const shown = value === undefined ? "not set" : String(value);
  return { severity, field: option, value, expected, message: `${option} is ${shown}: ${severity === "note" ? "" : "it must be "}${expected}` };
}

function valueOf(field: string, found: Found["value"]): unknown {
  if (found === null) return undefined;
  if (typeof found === "object") return found.micros / 1000;
  return typeof found === "number" && field.endsWith("_milli") ? found / 1000 : found;
}

/** A refusal as a finding. */
export function refused({ field, value, expected, message }: Refusal): Finding {
  return { severity: "error", field, value, expected, message };
}

/** A strategy in the printed form, or anything that stands in its place. */
export function text(value: unknown): string {
  const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? JSON.stringify(value) : show(value);
}
