// The printed form of a policy: the core's, with what the core does not know.

import { at, type Refusal } from "../config/refusals.js";
import { text } from "./findings.js";

/** What `--show` prints, entry by entry: numbers, texts, null for none, and sections by class. */
export interface Shown {
  readonly [key: string]: number | string | null | { readonly [name: string]: number | string | null };
}

type Entry = number | string | null;

/** The keys of the printed form for the options of retrying. */
const KEYS: Record<string, string> = {
  deadlineMs: "deadline_s",
  attemptTimeoutMs: "attempt_timeout_s",
  maxAttempts: "max_attempts",
  maxUnknownAttempts: "max_unknown_attempts",
  strategy: "default_strategy",
  strategies: "class_strategies",
  perClassMaxAttempts: "per_class_max_attempts",
};

/** The core's text as entries. */
export function entries(printed: string, source: string, sleep: unknown): Shown {
  const shown: Record<string, Entry | Record<string, Entry>> = {};
  let section: Record<string, Entry> = {};
  for (const line of printed.split("\n").slice(1)) {
    const [, indent, key, value] = /^( +)(\w+):(?: (.*))?$/.exec(line) ?? [];
    if (key === undefined) continue;
    if (indent!.length > 2) section[key] = entry(value!);
    else if (key === "source") shown[key] = source;
    // A field that several classes have is a line for each.
    else if (value !== undefined) shown[key] = key in shown ? `${shown[key]}, ${value}` : entry(value);
    else {
      shown["sleep"] ??= sleep === undefined ? null : text(sleep);
      shown[key] = section = {};
    }
  }
  return shown;
}

function entry(value: string): Entry {
  if (value === "None") return null;
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

/** The entries with what was refused as it was given. */
export function overlaid(shown: Shown, refusals: readonly Refusal[], retry: unknown): Shown {
  const changed: Record<string, Entry | Record<string, Entry>> = { ...shown };
  if (at(retry, ["strategy"]) === undefined) changed["default_strategy"] = null;
  for (const { field, keys } of refusals) {
    const [option, name] = keys[0] === "retry" ? keys.slice(1) : keys;
    const key = KEYS[option ?? ""];
    if (!field.startsWith("retry.") || key === undefined) continue;
    const given = at(retry, name === undefined ? [option!] : [option!, name]);
    if (name !== undefined) changed[key] = { ...(changed[key] as Record<string, Entry>), [name]: raw(given) };
    else changed[key] = key.endsWith("_s") && typeof given === "number" ? given / 1000 : raw(given);
  }
  return changed;
}

function raw(given: unknown): Entry {
  return typeof given === "number" || given === null ? given : text(given);
}

/** The layout that redress has in every language. */
export function printed(shown: Shown): string {
  const lines = ["Config snapshot:"];
  for (const [key, value] of Object.entries(shown)) {
    if (typeof value !== "object" || value === null) {
      lines.push(`  ${key}: ${value ?? "None"}`);
      continue;
    }
    const names = Object.keys(value).sort();
    lines.push(`  ${key}:`, ...names.map((name) => `    ${name}: ${value[name] ?? "None"}`));
    if (names.length === 0) lines.push("    (none)");
  }
  return `${lines.join("\n")}\n`;
}
