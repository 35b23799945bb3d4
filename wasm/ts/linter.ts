// The linter's module: the core's rules, apart from the core that applications hold.

import { instance } from "./core.js";
import { compiled } from "./modules/lint.js";

interface Linter {
  readonly memory: { readonly buffer: ArrayBuffer };
  question(bytes: number): number;
  ask(): number;
  answer(): number;
}

/** A value of the core: a span of time, a strategy by its name, classes, null if it is not set. */
export type FoundValue = number | string | boolean | readonly string[] | { readonly micros: number } | { readonly strategy: string } | null;

/** A finding in the core's own words. */
export interface Found {
  readonly severity: "error" | "warning" | "note";
  readonly field: string;
  readonly class: string | null;
  /** Which setting of a strategy, if it is one of those: `fallback.base`. */
  readonly part: string | null;
  readonly value: FoundValue;
  readonly problem: string;
  readonly beside: { readonly field: string; readonly value: FoundValue } | null;
  readonly help: string;
}

export interface Answer {
  readonly findings: readonly Found[];
  /** The printed form of what retries, if anything does. */
  readonly shown: string | null;
}

let module: object | undefined;

/** What the core says of settings. An instance answers once, and is dropped with all that it holds. */
export function ask(settings: unknown): Answer {
  const linter = instance<Linter>(() => (module ??= compiled()));
  const question = new TextEncoder().encode(JSON.stringify(settings));
  const at = linter.question(question.length);
  new Uint8Array(linter.memory.buffer, at, question.length).set(question);
  const length = linter.ask();
  return JSON.parse(new TextDecoder().decode(new Uint8Array(linter.memory.buffer, linter.answer(), length))) as Answer;
}
