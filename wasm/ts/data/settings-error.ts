// What is wrong with settings that were read at run time, all of it.

import { CALL_KEYS } from "../call/hooks.js";
import { type Issue, messageOf } from "../config/issues.js";
import { RETRY_KEYS, SHARED_KEYS } from "../policy/retry-options.js";

/** Settings were refused: a line of the message for each issue. */
export class SettingsError extends TypeError {
  /** Everything that is wrong, in the order in which it was found; of an option that does not exist `expected` is the nearest that does. */
  readonly issues: readonly Issue[];

  /** An error of these issues, of which there is one at least. */
  constructor(issues: readonly Issue[]) {
    super(issues.map(line).join("\n"));
    this.issues = issues;
  }

  /** The same error with paths that begin where the settings are in a larger file: `upstreams.prices.retry.maxAttempts`. */
  under(section: string): SettingsError {
    return new SettingsError(this.issues.map((issue) => ({ ...issue, path: `${section}.${issue.path}` })));
  }
}

Object.defineProperty(SettingsError.prototype, "name", { value: "SettingsError" });

function line(issue: Issue): string {
  const isNear = issue.problem === "is no option" && !issue.expected.includes(", ");
  return isNear ? `${issue.path} is no option; the nearest is ${issue.expected}` : messageOf(issue);
}

/** What is a function or made in code, which JSON cannot hold. */
const IN_CODE = /^(clock|random|sleeper|sleep|abortIf|signal|resume|before.*|on[A-Z].*)$/;
const OF_POLICY = ["retry", "circuitBreaker", "budgetByKey", "capacity", ...SHARED_KEYS, ...CALL_KEYS].filter(
  (name) => name !== "deadlineMs",
);

/** What is made in code, as a file has it. */
const IN_FILE = new Map([
  ["a strategy: one of backoff, or a function", "a strategy: its name, or an object with its `kind`"],
  ["a window: of rateOfCalls or rateOverTime", 'a window, whose `kind` is "calls" or "time"'],
  ["a function", "the name of a classifier"],
]);

/** The issue as it is in the file: `retry.budget.ratio` of a budget that retrying has of its own. */
export function inFile(issue: Issue, isWhole: boolean, hasOwnBudget: boolean): Issue {
  const { problem, value } = issue;
  const isOfBudget = /^budget(\.|$)/.test(issue.path);
  const path = isOfBudget && hasOwnBudget ? `retry.${issue.path}` : issue.path.replace(/^policy\./, "");
  if (problem !== "is no option")
    return { path, value, problem, expected: IN_FILE.get(issue.expected) ?? issue.expected };
  const name = path.slice(path.lastIndexOf(".") + 1);
  const isOfRetry = path === `retry.${name}`;
  const known = path === name ? OF_POLICY : isOfRetry ? [...RETRY_KEYS, ...(isWhole ? [] : OF_POLICY)] : undefined;
  const names = (known ?? issue.expected.split(", ")).filter((one) => !IN_CODE.test(one));
  return { path, value, problem, expected: nearest(name, names) ?? [...new Set(names)].sort().join(", ") };
}

/** The name that differs the least, if no more than a third of the letters do. */
function nearest(name: string, names: readonly string[]): string | undefined {
  let found: string | undefined;
  let least = Math.ceil(name.length / 3) + 1;
  for (const one of names) {
    const far = distance(name, one);
    if (far < least) [found, least] = [one, far];
  }
  return found;
}

/** How many letters must be added, left out or changed to make one name of the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [nth, letter] of [...from].entries()) {
    const next = [nth + 1];
    for (let at = 0; at < to.length; at += 1) {
      const changed = row[at]! + (letter === to[at] ? 0 : 1);
      next.push(Math.min(changed, row[at + 1]! + 1, next[at]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
