// What the platform itself throws: errors of the operating system, by the codes that Node, Deno and Bun give them, and
// DOMExceptions by their names.

import type { Classification } from "../types.js";
import { DOM_EXCEPTIONS, SYSTEM_CODES } from "../wasm/modules/platform.js";
import { classOf } from "./codes.js";
import { byDefault } from "./default.js";
import { read } from "./facts.js";

/** The class of a code of the operating system, of an error or of its cause; undefined if there is none. */
function systemClass(error: unknown): Classification | undefined {
  return classOf(SYSTEM_CODES, read(error, "code")) ?? classOf(SYSTEM_CODES, read(read(error, "cause"), "code"));
}

/** The class of a DOMException, of whichever realm; undefined for other errors and names. */
function domClass(error: unknown): Classification | undefined {
  return read(error, Symbol.toStringTag) === "DOMException" ? classOf(DOM_EXCEPTIONS, read(error, "name")) : undefined;
}

/**
 * The default rules, then what the platform throws: all codes of the operating system, of files too (ENOENT, EBUSY), and the
 * names of DOMExceptions (QuotaExceededError, NotAllowedError).
 */
export function system(error: unknown): Classification {
  const found = byDefault(error);
  return found.class === "UNKNOWN" ? (systemClass(error) ?? domClass(error) ?? found) : found;
}
