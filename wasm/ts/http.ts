// The classifier of HTTP: a status, and when to come back.

import { marker, number, read } from "./facts.js";
import { compiled } from "./modules/http.js";
import { Tables } from "./tables.js";
import type { Classification } from "./types.js";

const TABLES = /* @__PURE__ */ new Tables(compiled);

/**
 * A `Response` (null if it is ok), or an error that carries a status or a response, by the status; with its Retry-After.
 */
export function http(value: unknown): Classification | null {
  if (isResponse(value) && read(value, "ok") === true) return null;
  if (typeof value !== "object" || value === null) return null;
  const plain = read(value, "stack") === undefined;
  const telling = isResponse(value) || marker(value) !== 0 || !Number.isNaN(number(read(value, "status"))) || read(value, "response") !== undefined;
  // A value that says nothing of HTTP, such as a parsed body, is a success.
  if (plain && !telling && read(value, "name") === undefined && read(value, "code") === undefined) return null;
  const response = read(value, "response");
  // Any answer may say when a quota is filled up again; it is a reason to wait once that is used up.
  const status = read(value, "status") ?? read(response, "status");
  const names = status === 429 ? ["retry-after", "ratelimit-reset"] : ["retry-after"];
  return TABLES.classify(0, value, { status, header: header(value, names) });
}

function isResponse(value: unknown): boolean {
  return typeof read(value, "status") === "number" && typeof read(value, "ok") === "boolean" && read(value, "headers") !== undefined;
}

/** The first of `names` among the headers of an error or of its response. */
function header(error: unknown, names: readonly string[]): string | undefined {
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
