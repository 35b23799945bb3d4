// Errors that wrap others: what a client, a pool or an ORM has put around the one that knows why.

import type { Classification } from "../types.js";
import { ABORT_NAMES } from "../wasm/modules/platform.js";
import { byDefault } from "./default.js";
import { read, says } from "./facts.js";

/** What one error says by itself; undefined if it says nothing. */
export type Look = (one: unknown) => Classification | undefined;

/** Where clients put what they wrap. Of several errors, AggregateError and pools of addresses have `errors`. */
const WRAPPED = ["cause", "original", "originalError", "lastError", "detail", "response"];
/** As many levels, and as many errors of them all, are looked at. */
const LEVELS = 8;
const MOST = 64;

/** Whether failures of the class are not retried. */
export function isFinal(found: Classification): boolean {
  return /^(PERMANENT|AUTH|PERMISSION)$/.test(found.class);
}

/** The first error that says something, the outermost first. Each is looked at once, so that cycles end. */
export function search(error: unknown, look: Look, depth = 0, seen = new Set<unknown>()): Classification | undefined {
  let level = [error];
  for (; depth < LEVELS && level.length > 0; depth += 1) {
    for (const one of level) {
      const found = look(one);
      if (found !== undefined) return found;
    }
    const inner: unknown[] = [];
    for (const one of level) {
      const found = ofSeveral(read(one, "errors"), look, depth + 1, seen);
      if (found !== undefined) return found;
      for (const key of WRAPPED) {
        const wrapped = read(one, key);
        if (typeof wrapped !== "object" || wrapped === null || seen.has(wrapped) || seen.size >= MOST) continue;
        seen.add(wrapped);
        inner.push(wrapped);
      }
    }
    level = inner;
  }
  return undefined;
}

/** Of several errors the last one tried that may be tried again, or the last one if none may. */
function ofSeveral(errors: unknown, look: Look, depth: number, seen: Set<unknown>): Classification | undefined {
  if (!Array.isArray(errors) || depth >= LEVELS || seen.has(errors) || seen.size >= MOST) return undefined;
  seen.add(errors);
  const found = errors.slice(-16).flatMap((one) => search(one, look, depth, seen) ?? []);
  return found.findLast((one) => !isFinal(one)) ?? found.at(-1);
}

/** By a code at any depth; then by the rule for the whole error; then by the names and texts of all. */
export function classified(
  error: unknown,
  codes: Look,
  whole: (error: unknown) => Classification,
  text: Look = () => undefined,
): Classification {
  const found = search(error, codes);
  if (found !== undefined) return found;
  const own = whole(error);
  if (own.class !== "UNKNOWN") return own;
  return search(error, (one) => text(one) ?? aborted(one) ?? (one === error ? undefined : named(one))) ?? own;
}

/** A client that aborts its own request, as its time is up: of the program's own signal the call knows before it classifies. */
function aborted(one: unknown): Classification | undefined {
  return says(read(one, "name"), ABORT_NAMES) ? { class: "TRANSIENT" } : undefined;
}

/** What one error says by its name or its text. */
function named(one: unknown): Classification | undefined {
  const found = byDefault(one);
  return found.class === "UNKNOWN" ? undefined : found;
}
