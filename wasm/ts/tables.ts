// Classifiers by tables, each in a module of its own: facts of an error go in, a class and a hint come out.

import { instance } from "./core.js";
import { known } from "./defaults.js";
import { marker, nameOf, number, read } from "./facts.js";
import type { Classification } from "./types.js";

interface Module {
  readonly memory: { readonly buffer: ArrayBuffer };
  texts(): number;
  classify(rule: number, marker: number, status: number, statusCode: number, code: number, hint: number, nowUnixSecs: number): number;
  hint(): number;
}

/** What only some rules look at. */
export interface Special {
  readonly status?: unknown;
  /** The response headers that say when to come back, a line `name:value` for each. */
  readonly headers?: unknown;
  readonly message?: unknown;
  readonly sqlstate?: unknown;
  readonly grpc?: unknown;
  readonly aws?: unknown;
}

/** A module of tables, started when it is first asked. */
export class Tables {
  readonly #compiled: () => object;
  #started: Module | undefined;

  constructor(compiled: () => object) {
    this.#compiled = compiled;
  }

  /** The class of an error by a rule of the module. */
  classify(rule: number, error: unknown, special: Special): Classification {
    const module = (this.#started ??= instance<Module>(this.#compiled));
    const hint = read(error, "retryAfter");
    const hintMs = read(error, "retryAfterMs");
    const code = number(read(error, "code"));
    const mark = marker(error);
    const { headers, message, sqlstate = read(error, "sqlstate"), grpc, aws } = special;
    hand(module, [nameOf(error), hint, headers, message, sqlstate, grpc, aws]);
    const found = module.classify(
      rule,
      mark,
      number(special.status ?? read(error, "status")),
      number(read(error, "statusCode") ?? read(error, "status_code")),
      // DOMException.TIMEOUT_ERR is no status.
      mark === 1 && code === 23 ? NaN : code,
      typeof hintMs === "number" ? Math.max(hintMs, 0) : typeof hint === "number" ? Math.max(hint * 1000, 0) : NaN,
      Math.floor(Date.now() / 1000),
    );
    const name = known(found, error);
    const told = module.hint();
    const retryAfterMs = Number.isNaN(told) ? (typeof hintMs === "number" && hintMs >= 0 ? hintMs : undefined) : told;
    return retryAfterMs === undefined ? { class: name } : { class: name, retryAfterMs };
  }
}

const CAPACITY = 2048;
const NONE = 0xffff;

/** Writes lengths first, then the texts; what does not fit is left out. */
function hand(module: Module, texts: readonly unknown[]): void {
  const bytes = new Uint8Array(module.memory.buffer, module.texts(), CAPACITY);
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
