// The rules over any error, by the core: what a policy classifies by that names no classifier.

import type { Classification } from "../types.js";
import { bytes, enter } from "../wasm/core.js";
import { classify, classify_name } from "../wasm/modules/core.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";
import { CONNECTION_CODES, CONNECTION_MESSAGES } from "../wasm/modules/platform.js";
import { BRAND, markerOf, nameOf, number, read, says } from "./facts.js";

/** A connection that fails, by its code or that of an error it wraps, or by what fetch says of it, as that has no code. */
function lost(error: unknown): boolean {
  for (let level = 0, one = error; level < 8; level += 1, one = read(one, "cause")) {
    if (says(read(one, "code"), CONNECTION_CODES)) return true;
  }
  const name = read(error, "name");
  return (
    (name === "NetworkError" && read(error, Symbol.toStringTag) === "DOMException") ||
    ((name === "TypeError" || name === "Error") && says(read(error, "message"), CONNECTION_MESSAGES))
  );
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

const UNKNOWN = ERROR_CLASSES.indexOf("UNKNOWN");

/** As many letters of a name as are looked at. */
const LETTERS = 256;

/** What the core classifies by. */
interface Facts {
  code: unknown;
  status: unknown;
  said: unknown;
  name: unknown;
  retryAfterMs: unknown;
}

function factsOf(error: unknown): Facts {
  try {
    // By their names, as engines remember where an object has them.
    const { code, status, [BRAND]: said, name, retryAfterMs } = error as Facts & { [BRAND]: unknown };
    return { code, status, said, name, retryAfterMs };
  } catch {
    const [code, status, said, name, retryAfterMs] = ["code", "status", BRAND, "name", "retryAfterMs"].map((key) =>
      read(error, key),
    );
    return { code, status, said, name, retryAfterMs };
  }
}

function by(isStrict: number, error: unknown): Classification {
  const { code, status, said, name, retryAfterMs } = factsOf(error);
  enter();
  const mark = markerOf(said, code, name);
  // The words of a name come last, and spelling it is dear.
  let found = classify(isStrict, mark, number(status), number(code), 0);
  // Such a status has a class of its own, or one that words go before.
  const asked = number(status) >= 400 && number(status) < 500;
  if ((found === UNKNOWN || asked) && isStrict === 0) {
    found = classify(isStrict, mark, number(status), number(code), spelled(nameOf(error)));
  }
  return hinted(known(found, error), retryAfterMs);
}

/** Writes a name where the core reads it; its length there. */
function spelled(said: unknown): number {
  const letters = bytes(classify_name(), LETTERS);
  const name = typeof said === "string" ? said.slice(0, LETTERS) : "";
  for (let i = 0; i < name.length; i += 1) letters[i] = name.charCodeAt(i) < 128 ? name.charCodeAt(i) : 63;
  return name.length;
}

/** The package's own errors, time-outs, `status` and `code`, then words in the error's name. */
export function byDefault(error: unknown): Classification {
  return by(0, error);
}

/** The same without words. */
export function strict(error: unknown): Classification {
  return by(1, error);
}
