// A policy as Rust: constants, and a breaker and a budget that the calls of a program share.

import { isObject, type Settings } from "../settings.js";

/** How many slices a window of time has in the npm package. */
const SLICES = 10;

/** Code of a policy: what it names of the crate, its items in order, and what Rust has no option for. */
class Writer {
  readonly names = new Set<string>();
  readonly items: string[] = [];
  readonly missing: string[] = [];

  /** A name of the crate, by its path in it. */
  use(path: string): string {
    this.names.add(path);
    return path.split("::").at(-1)!;
  }

  duration(ms: number): string {
    const name = this.use("Duration");
    if (Number.isInteger(ms / 1000)) return `${name}::from_secs(${ms / 1000})`;
    return Number.isInteger(ms) ? `${name}::from_millis(${ms})` : `${name}::from_micros(${Math.round(ms * 1000)})`;
  }

  class(name: string): string {
    const words = name
      .toLowerCase()
      .split("_")
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
    return `${this.use("ErrorClass")}::${words.join("")}`;
  }

  classes(names: readonly string[]): string {
    return `${this.use("classify::ClassSet")}::of(&[${names.map((name) => this.class(name)).join(", ")}])`;
  }

  /** A lock of a program on a host. */
  static_(name: string, type: string, value: string): void {
    this.use("checked");
    this.items.push(`pub static ${name}: Mutex<${type}> = Mutex::new(checked!(${value}));`);
  }
}

const milli = (share: number): number => Math.round(share * 1000);
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A file with the policy, its breaker and its budget. */
export function rustOf(settings: Settings): string {
  const to = new Writer();
  const { retry, budget, circuitBreaker, ...hooks } = settings;
  for (const name of Object.keys(hooks)) to.missing.push(name);
  if (retry !== undefined) policy(to, retry);
  else to.items.push(`pub const UPSTREAM: ${to.use("Policy")} = Policy::once();`);
  if (circuitBreaker !== undefined) breaker(to, circuitBreaker);
  const own = retry?.budget ?? budget;
  if (own !== undefined) budgetOf(to, own);
  const names = [...to.names].filter((name) => !name.includes("::")).sort();
  const paths = [...to.names].filter((name) => name.includes("::")).sort();
  const uses = [
    ...(to.items.some((item) => item.includes("Mutex")) ? ["use std::sync::Mutex;", ""] : []),
    ...paths.map((path) => `use redress::${path};`),
    `use redress::{${names.join(", ")}};`,
  ];
  const notes = to.missing.map((name) => `// \`${name}\` is no setting of a policy in Rust.\n`);
  return `${uses.join("\n")}\n\n${notes.join("")}${to.items.join("\n\n")}\n`;
}

function policy(to: Writer, retry: Settings): void {
  const { maxAttempts, deadlineMs, attemptTimeoutMs, maxUnknownAttempts, longDelay, ...more } = retry;
  const { perClassMaxAttempts, retriable, strategy, strategies, budget: _, ...others } = more;
  for (const name of Object.keys(others)) to.missing.push(`retry.${name}`);
  const steps: string[] = [];
  // Null is the most that there can be.
  if (maxAttempts !== undefined) steps.push(`max_attempts(${maxAttempts ?? "u32::MAX"})`);
  if (deadlineMs === null) steps.push("no_deadline()");
  else if (deadlineMs !== undefined) steps.push(`deadline(${to.duration(deadlineMs)})`);
  if (typeof attemptTimeoutMs === "number") steps.push(`attempt_timeout(${to.duration(attemptTimeoutMs)})`);
  if (maxUnknownAttempts === null) steps.push("no_unknown_limit()");
  else if (maxUnknownAttempts !== undefined) steps.push(`max_unknown_attempts(${maxUnknownAttempts})`);
  if (longDelay === "cut") steps.push(`long_delay(${to.use("config::LongDelay")}::Cut)`);
  const byClass = (step: string, values: Settings = {}) => {
    for (const [name, value] of Object.entries(values)) steps.push(`${step}(${to.class(name)}, ${value})`);
  };
  byClass("max_attempts_for", perClassMaxAttempts);
  byClass("retriable", retriable);
  if (strategy !== undefined) steps.push(`backoff(${backoff(to, strategy, "BACKOFF")})`);
  for (const [name, own] of Object.entries(strategies ?? {}))
    steps.push(`backoff_for(${to.class(name)}, ${backoff(to, own, `${name}_BACKOFF`)})`);
  to.use("policy");
  to.use("Policy");
  const chain = steps.map((step) => `\n        .${step}`).join("");
  to.items.push(`pub const UPSTREAM: Policy = policy! {\n    Policy::builder()${chain}\n};`);
}

/** A strategy as an expression. One that another refers to becomes a constant of this name. */
function backoff(to: Writer, json: any, name: string): string {
  const options: Settings = typeof json === "string" ? { kind: json } : json;
  const { kind, fallback, baseMs = 250, maxMs = 30_000, jitterMs = 0 } = options;
  const type = to.use("Backoff");
  const longest = maxMs === null ? `${to.use("Duration")}::MAX` : to.duration(maxMs);
  const plus = jitterMs > 0 ? `.plus_jitter(${to.duration(jitterMs)})` : "";
  if (kind === "constant") return `${type}::constant(${to.duration(options["delayMs"])})${plus}`;
  if (kind === "sequence") {
    const delays = options["delaysMs"].map((ms: number) => to.duration(ms));
    return `${type}::sequence(&[${delays.join(", ")}])`;
  }
  if (kind === "retryAfterOr") {
    const { atLeastMs, atMostMs } = options;
    const inner = backoff(to, fallback, `${name}_ELSE`);
    to.items.push(`const ${name}_ELSE: Backoff = ${inner};`);
    const bounds = [
      atLeastMs === undefined ? "" : `.at_least(${to.duration(atLeastMs)})`,
      atMostMs === undefined || atMostMs === null ? "" : `.at_most(${to.duration(atMostMs)})`,
    ];
    return `${type}::retry_after_or(&${name}_ELSE, ${to.duration(options["jitterMs"] ?? 250)})${bounds.join("")}`;
  }
  if (kind === "adaptive") {
    const { windowMs, targetSuccess, minMultiplier, maxMultiplier } = options;
    const adaptive = to.use("backoff::Adaptive");
    const memory = to.use("backoff::Memory");
    const steps = [
      windowMs === undefined ? "" : `.window(${to.duration(windowMs)})`,
      targetSuccess === undefined ? "" : `.target_success_milli(${milli(targetSuccess)})`,
    ];
    if (minMultiplier !== undefined || maxMultiplier !== undefined) {
      const most = maxMultiplier ?? 5;
      steps.push(`.multipliers_milli(${milli(minMultiplier ?? Math.min(1, most))}, ${milli(most)})`);
    }
    to.use("policy");
    const config = `${to.use("backoff::AdaptiveConfig")}::new(${backoff(to, fallback, `${name}_ELSE`)})${steps.join("")}`;
    const made = `policy! { ${config} }\n    .memory(Mutex::new(${memory}::new()))`;
    to.items.push(`static ${name}_MEMORY: ${adaptive}<Mutex<${memory}<32>>> = ${made};`);
    return `${type}::own(&${name}_MEMORY)`;
  }
  const { factor = 2 } = options;
  if (kind === "exponential" && factor !== 2)
    return `${type}::exponential_by(${to.duration(baseMs)}, ${longest}, ${milli(factor)})${plus}`;
  return `${type}::${snake(kind)}(${to.duration(baseMs)}, ${longest})${plus}`;
}

function breaker(to: Writer, options: Settings): void {
  const { window, failureThreshold = 5, windowMs = 60_000, classThresholds = {}, ...more } = options;
  const { halfOpenPermits = 1 } = more;
  const config = to.use("BreakerConfig");
  let rule: string;
  let begin: string;
  let counts: string;
  const windows = (name: string) => to.use(`breaker::${name}`);
  if (window === undefined) {
    const thresholds = Object.entries(classThresholds) as [string, number][];
    // As many as can be in the window before it opens.
    const entries = thresholds.reduce((sum, [, own]) => sum + own - 1, failureThreshold);
    counts = `${windows("FailureTimes")}<${entries}>`;
    rule = windows("FailureRule");
    const own = thresholds.map(([name, count]) => `\n        .class_threshold(${to.class(name)}, ${count})`);
    begin = `failures(${failureThreshold}, ${to.duration(windowMs)})${own.join("")}`;
  } else if (window["kind"] === "calls") {
    const { size, rate, minCalls } = window;
    counts = `${windows("LastOutcomes")}<${Math.ceil(size / 32)}>`;
    rule = windows("OutcomeRule");
    begin = `outcomes(${size}, ${milli(rate)}, ${minCalls})`;
  } else {
    const { ms, rate, minCalls, slow } = window;
    counts = `${windows("TimeSlices")}<${SLICES}>`;
    rule = windows("SliceRule");
    const also = slow === undefined ? "" : `\n        .slow_calls(${to.duration(slow.afterMs)}, ${milli(slow.rate)})`;
    begin = `slices(${to.duration(ms / SLICES)}, ${milli(rate)}, ${minCalls})${also}`;
  }
  const steps = Object.entries(more).flatMap(([name, value]) => breakerStep(to, name, value));
  const chain = [`${config}::${begin}`, ...steps.map((step) => `.${step}`)].join("\n        ");
  to.items.push(`const BREAKER_CONFIG: ${config}<${rule}> =\n    ${chain};`);
  const permits = halfOpenPermits === 1 ? "" : `, ${halfOpenPermits}`;
  const type = `${to.use("Breaker")}<${counts}${permits}>`;
  to.items.push(`pub type UpstreamBreaker = ${type};`);
  to.static_("BREAKER", "UpstreamBreaker", "UpstreamBreaker::new(&BREAKER_CONFIG)");
}

function breakerStep(to: Writer, name: string, value: any): string[] {
  if (value === undefined || value === null) return [];
  if (name === "tripOn" || name === "halfOpenOn") return [`${snake(name)}(${to.classes(value)})`];
  const spans: Record<string, string> = {
    recoveryTimeoutMs: "recovery_timeout",
    maxRecoveryTimeoutMs: "recovery_growth_to",
    recoveryJitterMs: "recovery_jitter",
    leaseMs: "lease",
    openForHintMs: "open_for_hint",
  };
  if (name in spans) return [`${spans[name]}(${to.duration(value)})`];
  return [`${snake(name)}(${value})`];
}

function budgetOf(to: Writer, budget: Settings): void {
  const isRatio = isObject(budget) && budget["ratio"] !== undefined;
  const config = to.use(isRatio ? "budget::RatioConfig" : "budget::RollingConfig");
  if (isRatio) {
    const { ratio, ...rest } = budget;
    const steps = Object.entries(rest).map(([name, value]) => `.${snake(name)}(${value})`);
    to.items.push(`const BUDGET_CONFIG: ${config} = ${config}::new(${milli(ratio)})${steps.join("")};`);
    to.static_("BUDGET", to.use("RatioBudget"), "RatioBudget::new(&BUDGET_CONFIG)");
    return;
  }
  const { maxRetries, windowMs = 60_000 } = budget;
  to.items.push(`const BUDGET_CONFIG: ${config} = ${config}::new(${maxRetries}, ${to.duration(windowMs)});`);
  // It holds what its window may: one entry for each retry.
  const type = `${to.use("RollingBudget")}<${Math.max(1, maxRetries)}>`;
  to.items.push(`pub type UpstreamBudget = ${type};`);
  to.static_("BUDGET", "UpstreamBudget", "UpstreamBudget::new(&BUDGET_CONFIG)");
}
