// The classifier of HTTP: a status, and what the headers say of when to come back.

import type { Classification } from "../types.js";
import * as module from "../wasm/modules/http.js";
import { marker, number, read, says } from "./facts.js";
import { Tables } from "./tables.js";

const TABLES = /* @__PURE__ */ new Tables(module);

/**
 * A `Response` (null below status 400), or an error that carries a status or a response, by the status; with its Retry-After, and when a quota that is used up is filled up again.
 */
export function http(value: unknown): Classification | null {
  // Below 400 nothing has failed: 304, a redirect that is not followed, an opaque response, which has status 0.
  if (isResponse(value) && number(read(value, "status")) < 400) return null;
  if (typeof value !== "object" || value === null) return null;
  const plain = read(value, "stack") === undefined;
  const telling =
    isResponse(value) ||
    marker(value) !== 0 ||
    !Number.isNaN(number(read(value, "status"))) ||
    read(value, "response") !== undefined;
  // A value that says nothing of HTTP, such as a parsed body, is a success.
  if (plain && !telling && read(value, "name") === undefined && read(value, "code") === undefined) return null;
  return TABLES.classify(0, value, {
    status: read(value, "status") ?? read(read(value, "response"), "status"),
    headers: headers(value),
  });
}

function isResponse(value: unknown): boolean {
  return (
    typeof read(value, "status") === "number" &&
    typeof read(value, "ok") === "boolean" &&
    read(value, "headers") !== undefined
  );
}

/** Headers that may say when to come back; what they say and whether it counts, the core's tables know. */
const TELLING = /retry-after|rate-?limit(.*(remaining|reset)|$)/i;

/** Those of an error, then of its response, a line for each. */
function headers(error: unknown): string {
  let lines = "";
  for (const holder of [error, read(error, "response")]) {
    const held = read(holder, "headers");
    if (held === undefined || held === null) continue;
    try {
      const pairs =
        typeof (held as Iterable<unknown>)[Symbol.iterator] === "function" ? held : Object.entries(held as object);
      for (const [key, value] of pairs as Iterable<[unknown, unknown]>) {
        if (says(key, TELLING) && (typeof value === "string" || typeof value === "number"))
          lines += `${key}:${value}\n`;
      }
    } catch {
      // What cannot be read says nothing.
    }
  }
  return lines;
}
