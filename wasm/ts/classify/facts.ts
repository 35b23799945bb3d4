// What can be read off a thrown value, whatever its getters do.

import type { ErrorClass } from "../types.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";

/** A property of anything; undefined if reading it throws. */
export function read(value: unknown, key: PropertyKey): unknown {
  try {
    return value === null || value === undefined ? undefined : (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

export function number(value: unknown): number {
  return typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : NaN;
}

/** Whether it is a text of a table. */
export function says(text: unknown, table: RegExp): boolean {
  return typeof text === "string" && table.test(text);
}

/** The name of an error's type. */
export function nameOf(error: unknown): unknown {
  const name = read(error, "name");
  return typeof name === "string" ? name : read(read(error, "constructor"), "name");
}

/** Where the package's own errors say their class, whatever else they are given; the same in every realm. */
export const BRAND: unique symbol = Symbol.for("redress.class") as never;
const MARKED = "REDRESS_";

/** For the core: an error that says its class itself, a time-out, or neither. */
export function marker(error: unknown): number {
  return markerOf(read(error, BRAND), read(error, "code"), read(error, "name"));
}

export function markerOf(said: unknown, code: unknown, name: unknown): number {
  said ??= typeof code === "string" && code.startsWith(MARKED) ? code.slice(MARKED.length) : undefined;
  const named = said === undefined ? -1 : ERROR_CLASSES.indexOf(said as ErrorClass);
  if (named >= 0) return 16 + named;
  return name === "TimeoutError" ? 1 : 0;
}
