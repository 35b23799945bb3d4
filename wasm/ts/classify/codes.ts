// Codes and messages that any client may pass on: of connections, of resolvers, of certificates, and those that clients
// for JavaScript have of their own.

import type { Classification, ErrorClass } from "../types.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";
import {
  CLIENT_CODES,
  CLIENT_MESSAGES,
  CODES,
  CONNECTION_CODES,
  SYSTEM_CODES,
  type Words,
} from "../wasm/modules/platform.js";
import { BRAND, markerOf, read, says } from "./facts.js";

/** The class of a word; undefined if it has none. */
export function classOf(table: Words, word: unknown): Classification | undefined {
  const found = table.find(([, words]) => says(word, words));
  return found && { class: found[0] };
}

/** The class that one of the package's own errors says, with its hint. */
export function branded(one: unknown): Classification | undefined {
  const mark = markerOf(read(one, BRAND), read(one, "code"), undefined) - 16;
  if (mark < 0) return undefined;
  const retryAfterMs = read(one, "retryAfterMs");
  const name = ERROR_CLASSES[mark] as ErrorClass;
  return typeof retryAfterMs === "number" && retryAfterMs >= 0 ? { class: name, retryAfterMs } : { class: name };
}

/** The class of a connection's code. */
export function connectionCode(one: unknown): Classification | undefined {
  const code = read(one, "code");
  return says(code, CONNECTION_CODES) ? { class: "TRANSIENT" } : classOf(CODES, code);
}

/** The class of a code of a client, of a connection or of the operating system. */
export function anyCode(one: unknown): Classification | undefined {
  const code = read(one, "code");
  return connectionCode(one) ?? classOf(CLIENT_CODES, code) ?? classOf(SYSTEM_CODES, code);
}

/** The class of a message of a client that has no code; Knex has the statement before it. */
export function clientMessage(one: unknown): Classification | undefined {
  const message = read(one, "message");
  const said = typeof message === "string" ? message.slice(message.lastIndexOf(" - ") + 1).replace(/^- /, "") : "";
  return classOf(CLIENT_MESSAGES, said) ?? classOf(CLIENT_MESSAGES, message);
}
