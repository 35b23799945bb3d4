// The linter's module: the core's rules, apart from the core that applications hold.

import { type Memory, start } from "../wasm/core.js";
import { __wbg_set_wasm, answer, ask as asked, compiled, imports, question } from "../wasm/modules/lint.js";

/** A value of the core: a span of time, a strategy by its name, classes, null if it is not set. */
export type CoreValue =
  | number
  | string
  | boolean
  | readonly string[]
  | { readonly micros: number }
  | { readonly strategy: string }
  | null;

/** A finding in the core's own words. */
export interface CoreFinding {
  readonly severity: "error" | "warning" | "note";
  readonly field: string;
  readonly class: string | null;
  /** Which setting of a strategy, if it is one of those: `fallback.base`. */
  readonly part: string | null;
  readonly value: CoreValue;
  readonly problem: string;
  readonly beside: { readonly field: string; readonly value: CoreValue } | null;
  readonly help: string;
}

export interface Answer {
  readonly findings: readonly CoreFinding[];
  /** The printed form of what retries, if anything does. */
  readonly shown: string | null;
}

let module: object | undefined;

/** What the core says of settings. An instance answers once, and is dropped with all that it holds. */
export function ask(settings: unknown): Answer {
  const { memory } = start<Memory>({ compiled: () => (module ??= compiled()), imports, __wbg_set_wasm });
  const text = new TextEncoder().encode(JSON.stringify(settings));
  const at = question(text.length);
  new Uint8Array(memory.buffer, at, text.length).set(text);
  const length = asked();
  return JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, answer(), length))) as Answer;
}
