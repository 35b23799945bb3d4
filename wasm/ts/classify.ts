// From anything that can be thrown, or returned, to a class: by the core's tables.

import { core, table } from "./core.js";
import { hand, header, marker, nameOf, number, read } from "./facts.js";
import { domClass, systemClass } from "./system.js";
import { ERROR_CLASSES, type Classification } from "./types.js";

const DEFAULT = 0;
const STRICT = 1;
const HTTP = 2;
const SQLSTATE = 3;
const ODBC = 4;
const GRPC = 5;
const AWS = 6;
const REDIS = 7;

/** The system's, Node's, undici's, axios' and Bun's codes of connections that fail. */
const CONNECTION_CODES =
  /^(E(CONN(RESET|REFUSED|ABORTED)|TIMEDOUT|PIPE|AI_AGAIN|NETUNREACH|NETDOWN|NETRESET|HOSTUNREACH|HOSTDOWN)|ERR_(NETWORK|STREAM_PREMATURE_CLOSE)|UND_ERR_(SOCKET|(CONNECT|HEADERS|BODY)_TIMEOUT)|Connection(Refused|Reset|Closed)|FailedToOpenSocket)$/;

/** What fetch says in Node, Deno, Chromium, Firefox, Safari and workerd, as it has no code for it. */
const CONNECTION_WORDS =
  /^(fetch failed|terminated|error sending request|client error|error trying to connect|tcp connect error|Failed to fetch|network error|NetworkError|Error in input stream|Load failed|Network connection lost|internal error|The socket connection was closed|Unable to connect|error reading a body)/;

function lost(error: unknown): boolean {
  for (const one of [error, read(error, "cause")]) {
    const code = read(one, "code");
    if (typeof code === "string" && CONNECTION_CODES.test(code)) return true;
  }
  const message = read(error, "message");
  const name = read(error, "name");
  if (name === "NetworkError" && read(error, Symbol.toStringTag) === "DOMException") return true;
  return (name === "TypeError" || name === "Error") && typeof message === "string" && CONNECTION_WORDS.test(message);
}

function by(rule: number, error: unknown): Classification {
  const response = rule === HTTP ? read(error, "response") : undefined;
  const metadata = rule === AWS ? read(error, "$metadata") : undefined;
  const hint = read(error, "retryAfter");
  const hintMs = read(error, "retryAfterMs");
  // Any answer may say when a quota is filled up again; it is a reason to wait once that is used up.
  const status = read(error, "status") ?? read(response, "status") ?? read(metadata, "httpStatusCode");
  const names = status === 429 ? ["retry-after", "ratelimit-reset"] : ["retry-after"];
  const reset = rule === HTTP ? header(error, names) : undefined;
  hand([
    nameOf(error),
    hint,
    reset,
    rule === SQLSTATE || rule === ODBC || rule === REDIS ? read(error, "message") : undefined,
    read(error, "sqlstate") ?? (rule === SQLSTATE || rule === ODBC ? read(error, "code") : undefined),
    rule === GRPC ? read(error, "grpc") : undefined,
    rule === AWS ? (read(error, "Code") ?? nameOf(error)) : undefined,
  ]);
  const found = core().classify(
    rule,
    marker(error),
    number(status),
    number(read(error, "statusCode") ?? read(error, "status_code")),
    number(read(error, "code")),
    typeof hintMs === "number" ? Math.max(hintMs, 0) : typeof hint === "number" ? Math.max(hint * 1000, 0) : NaN,
    Math.floor(Date.now() / 1000),
  );
  const name = ERROR_CLASSES[found]!;
  if (name === "UNKNOWN" && lost(error)) return { class: "TRANSIENT" };
  const told = table()[0]!;
  const retryAfterMs = Number.isNaN(told) ? (typeof hintMs === "number" && hintMs >= 0 ? hintMs : undefined) : told;
  return retryAfterMs === undefined ? { class: name } : { class: name, retryAfterMs };
}

function isResponse(value: unknown): boolean {
  return typeof read(value, "status") === "number" && typeof read(value, "ok") === "boolean" && read(value, "headers") !== undefined;
}

function http(value: unknown): Classification | null {
  if (isResponse(value) && read(value, "ok") === true) return null;
  if (typeof value !== "object" || value === null) return null;
  const plain = read(value, "stack") === undefined;
  const telling = isResponse(value) || marker(value) !== 0 || !Number.isNaN(number(read(value, "status"))) || read(value, "response") !== undefined;
  // A value that says nothing of HTTP, such as a parsed body, is a success.
  if (plain && !telling && read(value, "name") === undefined && read(value, "code") === undefined) return null;
  return by(HTTP, value);
}

/** What the default rules do not know, by the operating system's code or a DOMException's name. */
function system(error: unknown): Classification {
  const found = by(DEFAULT, error);
  return found.class === "UNKNOWN" ? (systemClass(error) ?? domClass(error) ?? found) : found;
}

/**
 * Classifiers, for `classifier` and `resultClassifier`. They take anything, and never throw.
 *
 * - `default`: the package's own errors, time-outs, `status` and `code`, then words in the error's name
 * - `strict`: the same without words
 * - `system`: the default rules, then what the platform throws: all codes of the operating system, of files too (ENOENT,
 *   EBUSY), and the names of DOMExceptions (QuotaExceededError, NotAllowedError)
 * - `http`: a `Response` (null if it is ok), or an error that carries a status or a response, with Retry-After
 * - `sqlstate`, `odbc`, `grpc` (by the status' name in `grpc`), `aws`, `redis`: by the tables of those
 */
export const classify = {
  default: (error: unknown): Classification => by(DEFAULT, error),
  strict: (error: unknown): Classification => by(STRICT, error),
  system,
  http: http as (value: unknown) => Classification | null,
  sqlstate: (error: unknown): Classification => by(SQLSTATE, error),
  odbc: (error: unknown): Classification => by(ODBC, error),
  grpc: (error: unknown): Classification => by(GRPC, error),
  aws: (error: unknown): Classification => by(AWS, error),
  redis: (error: unknown): Classification => by(REDIS, error),
};
