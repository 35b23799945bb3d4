// `redress doctor`: what the linter says of a target, for people and for programs.

import { writeSync } from "node:fs";
import { type ConfigSnapshot, describe, type Finding, lint, show } from "redress/lint";
import { load } from "./target.js";

/** What there is to print, and the exit code: 0 for no errors, else 1. */
export interface Report {
  readonly text: string;
  readonly code: 0 | 1;
}

interface Format {
  /** Whether the values that the target comes to are part of it. */
  readonly show: boolean;
  readonly json: boolean;
}

/** Looks at one target. */
export async function doctor(target: string, format: Format): Promise<Report> {
  let findings: Finding[];
  let snapshot: ConfigSnapshot;
  let printed: string;
  // Nothing that is written later comes out any more.
  const unfinished = (why: string) => {
    writeSync(process.stdout.fd, failed(target, `Could not load '${target}': ${why}`, format).text);
    process.exitCode = 1;
    settle();
  };
  const waits = () => unfinished("what it waits for at its top level never settles");
  const ended = (code: number) =>
    unfinished(
      `it ended the process with code ${code} while it was loaded, by \`process.exit\` or an error that nothing caught`,
    );
  const settle = () => {
    process.off("beforeExit", waits);
    process.off("exit", ended);
  };
  process.once("beforeExit", waits);
  process.once("exit", ended);
  try {
    const subject = await load(target);
    findings = lint(subject);
    snapshot = describe(subject, target);
    printed = show(subject, target);
  } catch (error) {
    return failed(target, error instanceof Error ? error.message : String(error), format);
  } finally {
    settle();
  }
  const errors = findings.filter(({ severity }) => severity === "error");
  const ok = errors.length === 0;
  const code = ok ? 0 : 1;
  if (format.json) {
    const values = format.show ? { snapshot } : {};
    return { text: json({ target, ok, findings: findings.map(plain), ...values }), code };
  }
  const warnings = findings.filter(({ severity }) => severity !== "error");
  const lines = [...warnings, ...errors].map(
    ({ severity, message }) => `${severity}: [${target}] ${oneLine(message)}\n`,
  );
  if (ok) lines.push(`OK: '${target}' passed config checks.\n`);
  return { text: (format.show ? printed : "") + lines.join(""), code };
}

/** The report about a target that cannot be looked at. */
function failed(target: string, why: string, format: Format): Report {
  const message = oneLine(why);
  const text = format.json ? json({ target, ok: false, error: message, findings: [] }) : `error: ${message}\n`;
  return { text, code: 1 };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function json(answer: object): string {
  return `${JSON.stringify(answer, null, 2)}\n`;
}

/** A finding whose values JSON can hold. */
function plain({ value, beside, ...finding }: Finding): object {
  return { ...finding, value: held(value), ...(beside && { beside: { ...beside, value: held(beside.value) } }) };
}

/** Null if it is not set, else as text what has no form in JSON. */
function held(value: unknown): unknown {
  if (value === undefined) return null;
  const holds =
    typeof value === "string" ||
    typeof value === "boolean" ||
    Number.isFinite(value) ||
    value === null ||
    Array.isArray(value);
  return holds ? value : String(value);
}
