// The rules over any error, by the core: what a policy classifies by that names no classifier.

import { core } from "./core.js";
import { marker, nameOf, number, read } from "./facts.js";
import { ERROR_CLASSES, type Classification } from "./types.js";

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

/** A class with the error's own word on when to come back, if it is one. */
function hinted(name: Classification["class"], retryAfterMs: unknown): Classification {
  return typeof retryAfterMs === "number" && retryAfterMs >= 0 ? { class: name, retryAfterMs } : { class: name };
}

/** What the core calls UNKNOWN, unless it is a connection that fails. */
export function known(found: number, error: unknown): Classification["class"] {
  const name = ERROR_CLASSES[found]!;
  return name === "UNKNOWN" && lost(error) ? "TRANSIENT" : name;
}

/** As many letters of a name as are looked at. */
const LETTERS = 256;

function by(isStrict: number, error: unknown): Classification {
  const { memory, classify, classify_name } = core();
  const letters = new Uint8Array(memory.buffer, classify_name(), LETTERS);
  const name = String(nameOf(error) ?? "").slice(0, LETTERS);
  for (let i = 0; i < name.length; i += 1) letters[i] = name.charCodeAt(i) < 128 ? name.charCodeAt(i) : 63;
  const status = number(read(error, "status"));
  const found = classify(isStrict, marker(error), status, number(read(error, "code")), name.length);
  return hinted(known(found, error), read(error, "retryAfterMs"));
}

/** The package's own errors, time-outs, `status` and `code`, then words in the error's name. */
export function byDefault(error: unknown): Classification {
  return by(0, error);
}

/** The same without words. */
export function strict(error: unknown): Classification {
  return by(1, error);
}
