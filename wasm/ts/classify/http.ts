// The classifier of HTTP: a status, and what the headers say of when to come back.

import type { Classification } from "../types.js";
import * as module from "../wasm/modules/http.js";
import { branded, connectionCode } from "./codes.js";
import { marker, number, read, says } from "./facts.js";
import { Tables } from "./tables.js";
import { classified, isFinal } from "./wrapped.js";

const TABLES = /* @__PURE__ */ new Tables(module);

/**
 * A `Response`, or undici's `{ statusCode, headers, body }` (null below status 400), or an error that carries a status or a response, by
 * the status; with its Retry-After, and when a quota that is used up is filled up again. What an error wraps counts, too.
 */
export function http(value: unknown): Classification | null {
  return isNoFailure(value) ? null : classified(value, httpCode, httpWhole);
}

/** Whether a value says nothing of a failure. */
export function isNoFailure(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  const status = statusOf(value);
  // Below 400 nothing has failed: 304, a redirect that is not followed, an opaque response, which has status 0.
  if (isResponse(value)) return !(number(status) >= 400);
  const plain = read(value, "stack") === undefined;
  // A response of axios, got and their like: no error, with a status of its own.
  if (plain && number(status) >= 100 && number(status) < 400) return true;
  const telling =
    marker(value) !== 0 || !Number.isNaN(number(read(value, "status"))) || read(value, "response") !== undefined;
  // A value that says nothing of HTTP, such as a parsed body, is a success.
  return plain && !telling && read(value, "name") === undefined && read(value, "code") === undefined;
}

function isResponse(value: unknown): boolean {
  if (read(value, "headers") === undefined) return false;
  if (typeof read(value, "status") === "number" && typeof read(value, "ok") === "boolean") return true;
  // Of undici; an error has a stack.
  return typeof read(value, "statusCode") === "number" && read(value, "body") !== undefined && !read(value, "stack");
}

/** Where clients put the status: on the error, or on what it says of the response. */
function statusOf(one: unknown): unknown {
  const own = read(one, "status") ?? read(one, "statusCode");
  if (typeof own === "number") return own;
  for (const key of ["response", "meta", "$metadata"]) {
    const held = read(one, key);
    const status = read(held, "status") ?? read(held, "statusCode") ?? read(held, "httpStatusCode");
    if (typeof status === "number") return status;
  }
  return read(one, "code");
}

/** The class of one error by its status, with the hint of its headers, or by the code of a connection. */
export function httpCode(one: unknown): Classification | undefined {
  const status = number(statusOf(one));
  const fails = status >= 400 && status < 600;
  const found = fails ? TABLES.lookup(0, one, { status, headers: headers(one) }) : undefined;
  if (found !== undefined) return found;
  return branded(one) === undefined ? connectionCode(one) : httpWhole(one);
}

/** A class with the hint of an error's headers, unless it is final. */
export function headerHint(found: Classification, one: unknown): Classification {
  const retryAfterMs = isFinal(found) ? undefined : httpCode(one)?.retryAfterMs;
  return retryAfterMs === undefined ? found : { ...found, retryAfterMs };
}

/** The rule for a whole error, with its name. */
export function httpWhole(error: unknown): Classification {
  const status = read(error, "status") ?? read(read(error, "response"), "status");
  return TABLES.classify(0, error, { status, headers: headers(error) });
}

/** Headers that may say when to come back; what they say and whether it counts, the core's tables know. */
const TELLING = /retry-after|rate-?limit(.*(remaining|reset)|$)/i;

/** Those of an error, then of its response, a line for each. */
function headers(error: unknown): string {
  const holders = ["response", "meta", "$response"].map((key) => read(error, key));
  let lines = "";
  for (const held of [...[error, ...holders].map((one) => read(one, "headers")), read(error, "responseHeaders")]) {
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
