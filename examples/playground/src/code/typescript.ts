// A policy as TypeScript.

import { isObject, type Settings } from "../settings.js";

/** The widest line. */
const WIDTH = 100;

/** Code as it is, among values. */
class Code {
  readonly head: string;
  readonly value: unknown;
  readonly tail: string;

  constructor(head: string, value: unknown = undefined, tail = "") {
    this.head = head;
    this.value = value;
    this.tail = tail;
  }
}

/** A module that exports the policy. */
export function typescriptOf(settings: Settings): string {
  const names = new Set(["Policy"]);
  const made = (name: string, head: string, value?: unknown) => {
    names.add(name);
    return new Code(head, value, ")");
  };

  function strategy(json: any): Code {
    const { kind, fallback, delayMs, delaysMs, ...options } = typeof json === "string" ? { kind: json } : json;
    const value = kind === "constant" ? delayMs : kind === "sequence" ? delaysMs : fallback && strategy(fallback);
    const own = Object.keys(options).length === 0 ? undefined : options;
    if (value === undefined) return made("backoff", `backoff.${kind}(`, own);
    return made("backoff", `backoff.${kind}(${written(value, 0)}${own === undefined ? "" : ", "}`, own);
  }

  function retry({ strategy: one, strategies, budget, ...limits }: Settings): Settings {
    const own = Object.entries(strategies ?? {}).map(([name, each]) => [name, strategy(each)]);
    return {
      ...limits,
      ...(one === undefined ? {} : { strategy: strategy(one) }),
      ...(own.length === 0 ? {} : { strategies: Object.fromEntries(own) }),
      ...(budget === undefined ? {} : { budget: made("Budget", "new Budget(", budget) }),
    };
  }

  function breaker({ window, ...options }: Settings): Code {
    if (window === undefined) return made("CircuitBreaker", "new CircuitBreaker(", options);
    const { kind, ...own } = window;
    const name = kind === "calls" ? "rateOfCalls" : "rateOverTime";
    return made("CircuitBreaker", "new CircuitBreaker(", { window: made(name, `${name}(`, own), ...options });
  }

  const { retry: retrying, budget, circuitBreaker, ...hooks } = settings;
  const options = {
    ...hooks,
    ...(circuitBreaker === undefined ? {} : { circuitBreaker: breaker(circuitBreaker) }),
    ...(budget === undefined ? {} : { budget: made("Budget", "new Budget(", budget) }),
    ...(retrying === undefined ? {} : { retry: retry(retrying) }),
  };
  const policy = written(new Code("new Policy(", options, ")"), 0);
  const imported = [...names].sort((a, b) => a.localeCompare(b, "en")).join(", ");
  return `import { ${imported} } from "redress";\n\nexport const upstream = ${policy};\n`;
}

/** A value as code; in lines of its own if it is long. */
function written(value: unknown, indent: number): string {
  if (value instanceof Code)
    return value.head + (value.value === undefined ? "" : written(value.value, indent)) + value.tail;
  if (Array.isArray(value)) return `[${value.map((one) => written(one, indent)).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "undefined";
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  const key = (name: string) => (/^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name));
  const line = `{ ${entries.map(([name, one]) => `${key(name)}: ${written(one, indent)}`).join(", ")} }`;
  if (line.length + indent <= WIDTH - 20 && !line.includes("\n")) return line;
  const inner = " ".repeat(indent + 2);
  const lines = entries.map(([name, one]) => `${inner}${key(name)}: ${written(one, indent + 2)},\n`);
  return `{\n${lines.join("")}${" ".repeat(indent)}}`;
}
