// The fields of the form: what each changes in the settings, and what it is called.

import { CLASSES, RANGES, type Scene } from "./scene.js";
import { at, isObject, type Settings, withAt } from "./settings.js";

/** A field of something that is edited. */
export interface Field<T> {
  /** Its path, as the linter calls it; also its name in the form. */
  readonly path: string;
  readonly label: string;
  /** What can be chosen; without it the field takes text. */
  readonly choices?: readonly string[];
  /** What holds if it is empty. */
  readonly fallback?: string;
  readonly get: (from: T) => string;
  readonly set: (into: T, text: string) => T;
}

export interface Group<T> {
  readonly title: string;
  readonly fields: readonly Field<T>[];
}

type One = Field<Settings>;

/** A text as an option: nothing, none, numbers or a number. Anything else stays what it is, for the linter to refuse. */
function optionOf(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (trimmed === "none") return null;
  if (trimmed.includes(",")) return trimmed.split(",").map((part) => optionOf(part) ?? part);
  const number = Number(trimmed);
  return Number.isNaN(number) ? trimmed : number;
}

function textOf(value: unknown): string {
  if (value === undefined) return "";
  if (value === null) return "none";
  return Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** An option at its path. A number by itself, where the option is a list, is a list of one. */
function option(path: string, label: string, fallback = "", isList = false, place = path): One {
  return {
    path,
    label,
    fallback,
    get: (settings) => textOf(at(settings, place)),
    set: (settings, text) => {
      const value = optionOf(text);
      return withAt(settings, place, isList && typeof value === "number" ? [value] : value);
    },
  };
}

const SPAN = [
  ["baseMs", "First delay, ms", "250"],
  ["maxMs", "Longest delay, ms", "30000"],
] as const;
const JITTER = ["jitterMs", "Jitter on top, ms", "0"] as const;

/** The options of each strategy, by the names of the functions of `backoff`. */
const STRATEGIES: Readonly<Record<string, readonly (readonly [name: string, label: string, fallback: string])[]>> = {
  fullJitter: SPAN,
  equalJitter: SPAN,
  decorrelatedJitter: SPAN,
  tokenBackoff: SPAN,
  exponential: [...SPAN, ["factor", "Factor", "2"], JITTER],
  linear: [...SPAN, JITTER],
  fibonacci: [...SPAN, JITTER],
  constant: [["delayMs", "Delay, ms", ""], JITTER],
  sequence: [["delaysMs", "Delays, ms, with commas", ""]],
  retryAfterOr: [
    ["atLeastMs", "Shortest Retry-After, ms", "0"],
    ["atMostMs", "Longest Retry-After, ms", "none"],
    ["jitterMs", "Jitter on top, ms", "250"],
  ],
  adaptive: [
    ["windowMs", "Looks back, ms", "60000"],
    ["targetSuccess", "Share of successes to reach", "0.9"],
    ["minMultiplier", "Multiplier at least", "1"],
    ["maxMultiplier", "Multiplier at most", "5"],
  ],
};
const NONE = "none";
const WRAPPERS = ["retryAfterOr", "adaptive"];

function isWrapper(kind: string): boolean {
  return WRAPPERS.includes(kind);
}

/** A strategy by its kind and its options. */
function strategyFields(settings: Settings, path: string, label: string, none: string | null, isInner = false): One[] {
  const json = at(settings, path);
  const own: Settings = typeof json === "string" ? { kind: json } : isObject(json) ? json : {};
  const kind: unknown = own["kind"];
  const kinds = Object.keys(STRATEGIES).filter((one) => !isInner || !isWrapper(one));
  const choose: One = {
    path,
    label,
    choices: none === null ? kinds : [none, ...kinds],
    get: () => (typeof kind === "string" ? kind : (none ?? "")),
    set: (into, chosen) => withAt(into, path, chosen === none ? undefined : strategyJson(chosen, own)),
  };
  const options = typeof kind === "string" && Object.hasOwn(STRATEGIES, kind) ? STRATEGIES[kind]! : [];
  // A kind alone becomes an object with its first option.
  const opened = (into: Settings) => (typeof json === "string" ? withAt(into, path, own) : into);
  const fields = options.map(([name, text, fallback]) => {
    const field = option(`${path}.${name}`, text, fallback, name === "delaysMs");
    return { ...field, set: (into: Settings, value: string) => field.set(opened(into), value) };
  });
  const inner = isWrapper(String(kind)) ? strategyFields(settings, `${path}.fallback`, "Else", null, true) : [];
  return [choose, ...fields, ...inner];
}

/** A strategy of another kind, with the options that both have. */
function strategyJson(kind: string, before: Settings): Settings {
  const from = isWrapper(String(before["kind"])) && !isWrapper(kind) ? (before["fallback"] ?? {}) : before;
  if (isWrapper(kind)) {
    const fallback = isWrapper(String(before["kind"]))
      ? before["fallback"]
      : before["kind"]
        ? before
        : { kind: "decorrelatedJitter" };
    return { kind, fallback };
  }
  const first = from["baseMs"] ?? from["delayMs"] ?? 250;
  if (kind === "constant") return { kind, delayMs: first };
  if (kind === "sequence") return { kind, delaysMs: [first, first * 2, first * 4] };
  const shared = Object.entries(from).filter(([name]) => STRATEGIES[kind]?.some(([one]) => one === name));
  return { kind, ...(from["delayMs"] === undefined ? {} : { baseMs: first }), ...Object.fromEntries(shared) };
}

/** A choice of what an object of options is: each choice begins with these options. */
function shapes(
  path: string,
  label: string,
  forms: Readonly<Record<string, Settings | undefined>>,
  is: (own: unknown) => string,
): One {
  return {
    path,
    label,
    choices: Object.keys(forms),
    get: (settings) => is(at(settings, path)),
    set: (settings, chosen) => withAt(settings, path, forms[chosen]),
  };
}

function budgetFields(settings: Settings): One[] {
  // The linter calls it so wherever it is.
  const place = at(settings, "retry.budget") === undefined ? "budget" : "retry.budget";
  const forms = {
    [NONE]: undefined,
    "a share of the calls": { ratio: 0.1 },
    "a number in a time": { maxRetries: 100 },
  };
  const formOf = (own: unknown) =>
    !isObject(own) ? NONE : "maxRetries" in own ? "a number in a time" : "a share of the calls";
  const choose = { ...shapes(place, "Retries may be", forms, formOf), path: "budget" };
  const own = (name: string, label: string, fallback = "") =>
    option(`budget.${name}`, label, fallback, false, `${place}.${name}`);
  const kind = formOf(at(settings, place));
  if (kind === NONE) return [choose];
  if (kind === "a number in a time")
    return [choose, own("maxRetries", "Retries in it"), own("windowMs", "How long it is, ms", "60000")];
  return [
    choose,
    own("ratio", "Retries for each call"),
    own("initial", "At the start", "10"),
    own("floorPerSec", "Earned each second", "1"),
    own("limit", "Saved at most", "1000"),
  ];
}

function breakerFields(settings: Settings): One[] {
  const path = "circuitBreaker";
  const choose = shapes(path, "Opens", { never: undefined, "at failures": {} }, (own) =>
    own === undefined ? "never" : "at failures",
  );
  // An empty object of options is a breaker, too.
  const set: One["set"] = (into, chosen) => {
    const { [path]: _, ...others } = into;
    return chosen === "never" ? others : { ...others, [path]: { failureThreshold: 5 } };
  };
  if (at(settings, path) === undefined) return [{ ...choose, set }];
  const windows = {
    "a number in a time": undefined,
    "a share of the last calls": { kind: "calls", size: 50, rate: 0.5, minCalls: 20 },
    "a share of the calls in a time": { kind: "time", ms: 20_000, rate: 0.5, minCalls: 20 },
  };
  const windowOf = (own: unknown) =>
    !isObject(own)
      ? "a number in a time"
      : own["kind"] === "time"
        ? "a share of the calls in a time"
        : "a share of the last calls";
  const counts = shapes(`${path}.window`, "Counts", windows, windowOf);
  // A breaker that counts a share has no threshold.
  const counting: One["set"] = (into, chosen) => {
    const { failureThreshold: _, windowMs: __, window: ___, ...others } = at(into, path) as Settings;
    const window = windows[chosen as keyof typeof windows];
    return { ...into, [path]: window === undefined ? { failureThreshold: 5, ...others } : { window, ...others } };
  };
  const own = (name: string, label: string, fallback = "") => option(`${path}.${name}`, label, fallback);
  const kind = windowOf(at(settings, `${path}.window`));
  const threshold =
    kind === "a number in a time"
      ? [own("failureThreshold", "Failures", "5"), own("windowMs", "Within, ms", "60000")]
      : [
          kind === "a share of the last calls" ? own("window.size", "Last calls") : own("window.ms", "Within, ms"),
          own("window.rate", "Share that failed"),
          own("window.minCalls", "Calls at least"),
        ];
  return [
    { ...choose, set },
    { ...counts, set: counting },
    ...threshold,
    own("recoveryTimeoutMs", "Open for, ms", "30000"),
    own("maxRecoveryTimeoutMs", "Doubles up to, ms", "none"),
    own("halfOpenPermits", "Probes at once", "1"),
    own("successesToClose", "Probes to close", "1"),
    own("openForHintMs", "Open for a Retry-After up to, ms", "none"),
  ];
}

/** The fields of a policy. Those of a strategy, a budget or a breaker depend on its kind. */
export function policyGroups(settings: Settings): Group<Settings>[] {
  return [
    {
      title: "Limits",
      fields: [
        option("retry.maxAttempts", "Attempts", "6"),
        option("retry.deadlineMs", "Deadline, ms", "60000"),
        option("retry.attemptTimeoutMs", "Attempt timeout, ms", "none"),
        option("retry.maxUnknownAttempts", "Retries of UNKNOWN", "2"),
      ],
    },
    { title: "Backoff", fields: strategyFields(settings, "retry.strategy", "Strategy", NONE) },
    {
      title: "Backoff after RATE_LIMIT",
      fields: strategyFields(settings, "retry.strategies.RATE_LIMIT", "Strategy", "as for all classes"),
    },
    { title: "Budget", fields: budgetFields(settings) },
    { title: "Circuit breaker", fields: breakerFields(settings) },
  ];
}

function sceneField(path: keyof Scene & string, label: string): Field<Scene> {
  const [min, max] = RANGES[path]!;
  return {
    path: `scene.${path}`,
    label,
    fallback: `${min} to ${max}`,
    get: (scene) => textOf(scene[path]),
    set: (scene, text) => ({ ...scene, [path]: path === "retryAfterMs" ? (optionOf(text) ?? null) : optionOf(text) }),
  };
}

/** The fields of what the policy meets. */
export function sceneGroups(): Group<Scene>[] {
  const share = (name: (typeof CLASSES)[number]): Field<Scene> => ({
    path: `scene.mix.${name}`,
    label: name,
    fallback: "0",
    get: ({ mix }) => textOf(mix[name]),
    set: (scene, text) => {
      const { [name]: _, ...others } = scene.mix;
      const value = optionOf(text) as number | undefined;
      return { ...scene, mix: value === undefined ? others : { ...scene.mix, [name]: value } };
    },
  });
  return [
    {
      title: "Callers and outage",
      fields: [
        sceneField("callers", "Callers"),
        sceneField("everyMs", "Each calls every, ms"),
        sceneField("outageAtMs", "Outage begins at, ms"),
        sceneField("outageMs", "Outage lasts, ms"),
        sceneField("failing", "Attempts that fail in it, %"),
        sceneField("outageLatencyMs", "Latency in it, ms"),
        sceneField("latencyMs", "Latency at other times, ms"),
        sceneField("retryAfterMs", "Retry-After of RATE_LIMIT, ms"),
        sceneField("seed", "Seed"),
      ],
    },
    { title: "Failures by class, shares", fields: CLASSES.map(share) },
  ];
}
