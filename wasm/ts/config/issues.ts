// What is wrong with an option, as data: thrown where it is met, or collected.

import { isForeign } from "../policy/copies.js";

/** How a value can be wrong. */
export type Problem = "is not" | "is out of range" | "is no option" | "is no class";

/** What is wrong with an option. The error that is thrown for it has these as its own properties. */
export interface Issue {
  /** Which option: `retry.maxAttempts`. */
  readonly path: string;
  /** What it is; undefined if it is missing. */
  readonly value: unknown;
  /** How it is wrong. */
  readonly problem: Problem;
  /** What would be right; of an option or a class that does not exist, those that do. */
  readonly expected: string;
}

/** The issues of the construction that is under way, if they are collected. */
let collected: Issue[] | undefined;

/** Throws what is wrong with an option. While issues are collected it returns `fallback`, with which the check goes on. */
export function refuse<T>(
  path: string,
  value: unknown,
  expected: string,
  fallback?: T,
  problem: Problem = "is not",
): T {
  const issue = { path, value, problem, expected };
  if (collected !== undefined) {
    collected.push(issue);
    return fallback as T;
  }
  const Kind = problem === "is out of range" ? RangeError : TypeError;
  throw Object.assign(new Kind(messageOf(issue)), issue);
}

/** Builds something to the end, whatever is wrong with its options, and collects all of that. */
export function collect<T>(build: () => T): { value: T; issues: readonly Issue[] } {
  const outer = collected;
  const issues: Issue[] = [];
  collected = issues;
  try {
    return { value: build(), issues };
  } finally {
    collected = outer;
  }
}

/** An issue in one line: `retry.maxAttempts: 0 is out of range: a whole number of at least 1`. */
export function messageOf({ path, value, problem, expected }: Issue): string {
  const link = problem === "is not" ? " " : problem === "is out of range" ? ": " : "; there are ";
  return `${path}${problem === "is no option" ? "" : `: ${show(value)}`} ${problem}${link}${expected}`;
}

/** A value in a message. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  const foreign = " of another copy of redress";
  if (typeof value === "function")
    return `function ${value.name || "(anonymous)"}${isForeign(value.prototype) ? foreign : ""}`;
  if (typeof value === "object" && value !== null)
    return isForeign(value) ? `an object${foreign}` : Array.isArray(value) ? "an array" : "an object";
  return String(value);
}
