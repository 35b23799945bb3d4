// The printed form of a policy: the core's, with what the core does not know.

import type { Issue } from "../config/issues.js";
import { at, text } from "./findings.js";

/** What `--show` prints, entry by entry: numbers, texts, null for none, and sections by class. */
export interface ConfigSnapshot {
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
export function entries(printed: string, source: string, sleep: unknown): ConfigSnapshot {
  const snapshot: Record<string, Entry | Record<string, Entry>> = {};
  let section: Record<string, Entry> = {};
  for (const line of printed.split("\n").slice(1)) {
    const [, indent, key, value] = /^( +)(\w+):(?: (.*))?$/.exec(line) ?? [];
    if (key === undefined) continue;
    if (indent!.length > 2) section[key] = entry(value!);
    else if (key === "source") snapshot[key] = source;
    // A field that several classes have is a line for each.
    else if (value !== undefined) snapshot[key] = key in snapshot ? `${snapshot[key]}, ${value}` : entry(value);
    else {
      snapshot["sleep"] ??= sleep === undefined ? null : text(sleep);
      snapshot[key] = section = {};
    }
  }
  return snapshot;
}

function entry(value: string): Entry {
  if (value === "None") return null;
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

/** The entries with the options of retrying that were refused as they are set. */
export function withRefused(snapshot: ConfigSnapshot, issues: readonly Issue[], retry: unknown): ConfigSnapshot {
  const changed: Record<string, Entry | Record<string, Entry>> = { ...snapshot };
  if (at(retry, ["strategy"]) === undefined) changed["default_strategy"] = null;
  for (const { path, value, problem } of issues) {
    const [holder, option = "", name = problem === "is no class" ? String(value) : undefined] = path.split(".");
    if (holder !== "retry" || !Object.hasOwn(KEYS, option)) continue;
    const key = KEYS[option]!;
    const own = at(retry, [option]);
    const section = changed[key];
    if (typeof section === "object" && section !== null && name !== undefined) {
      changed[key] = { ...section, [name]: raw(at(own, [name])) };
    } else changed[key] = key.endsWith("_s") && typeof own === "number" ? own / 1000 : raw(own);
  }
  return changed;
}

function raw(value: unknown): Entry {
  return typeof value === "number" || value === null ? value : text(value);
}

/** The layout that redress has in every language. */
export function printed(snapshot: ConfigSnapshot): string {
  const lines = ["Config snapshot:"];
  for (const [key, value] of Object.entries(snapshot)) {
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
