// What can be read off a thrown value, whatever its getters do.

import { core } from "./core.js";
import { ERROR_CLASSES, type ErrorClass } from "./types.js";

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
  const code = read(error, "code");
  const said = read(error, BRAND) ?? (typeof code === "string" && code.startsWith(MARKED) ? code.slice(MARKED.length) : undefined);
  const named = ERROR_CLASSES.indexOf(said as ErrorClass);
  if (named >= 0) return 16 + named;
  return read(error, "name") === "TimeoutError" ? 1 : 0;
}

/** The first of `names` among the headers of an error or of its response. */
export function header(error: unknown, names: readonly string[]): string | undefined {
  for (const holder of [error, read(error, "response")]) {
    const headers = read(holder, "headers");
    if (headers === undefined || headers === null) continue;
    for (const name of names) {
      const found = headerOf(headers, name);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function headerOf(headers: unknown, name: string): string | undefined {
  try {
    const pairs = typeof (headers as Iterable<unknown>)[Symbol.iterator] === "function" ? headers : Object.entries(headers as object);
    for (const [key, value] of pairs as Iterable<[unknown, unknown]>) {
      if (typeof key === "string" && key.toLowerCase() === name) {
        if (typeof value === "string" || typeof value === "number") return String(value);
      }
    }
  } catch {
    return undefined;
  }
  return undefined;
}

const CAPACITY = 1024;
const NONE = 0xffff;

/** Hands texts to the core: lengths first; what does not fit is left out. */
export function hand(texts: readonly unknown[]): void {
  const { memory, classify_texts } = core();
  const start = classify_texts();
  const bytes = new Uint8Array(memory.buffer, start, CAPACITY);
  let at = 2 * texts.length;
  texts.forEach((text, nth) => {
    const fits = typeof text === "string" && at + text.length <= CAPACITY;
    const length = fits ? text.length : NONE;
    bytes[2 * nth] = length & 0xff;
    bytes[2 * nth + 1] = length >> 8;
    if (!fits) return;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      bytes[at + i] = unit < 128 ? unit : 63;
    }
    at += length;
  });
}
