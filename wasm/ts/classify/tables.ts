// Classifiers by tables, each in a module of its own: facts of an error go in, a class and a hint come out.

import type { Classification } from "../types.js";
import { type Memory, type Startable, start } from "../wasm/core.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";
import { known } from "./default.js";
import { marker, nameOf, number, read } from "./facts.js";

interface Module extends Startable {
  rewind(): void;
  texts(): number;
  classify(
    rule: number,
    marker: number,
    status: number,
    statusCode: number,
    code: number,
    hint: number,
    nowUnixSecs: number,
  ): number;
  hint(): number;
}

/** What only some rules look at. */
export interface Special {
  readonly name?: unknown;
  readonly code?: unknown;
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
  readonly #module: Module;
  #started: Memory | undefined;

  constructor(module: Module) {
    this.#module = module;
  }

  /** The class of an error by a rule of the module. */
  classify(rule: number, error: unknown, special: Special): Classification {
    const mark = marker(error);
    const code = number(read(error, "code"));
    const status = special.status ?? read(error, "status");
    const statusCode = read(error, "statusCode") ?? read(error, "status_code");
    const sqlstate = special.sqlstate ?? read(error, "sqlstate");
    const name = nameOf(error);
    // DOMException.TIMEOUT_ERR is no status.
    const facts = { ...special, name, sqlstate, status, code: mark === 1 && code === 23 ? NaN : code };
    const asked = this.#ask(rule, mark, error, facts, number(statusCode));
    const hintMs = read(error, "retryAfterMs");
    const retryAfterMs = this.#hint() ?? (typeof hintMs === "number" && hintMs >= 0 ? hintMs : undefined);
    const found = known(asked, error);
    return retryAfterMs === undefined ? { class: found } : { class: found, retryAfterMs };
  }

  /** The class of these codes alone, with the hint of the error that has them; undefined if the rule does not know them. */
  lookup(rule: number, error: unknown, special: Special): Classification | undefined {
    const name = ERROR_CLASSES[this.#ask(rule, 0, error, special, NaN)]!;
    if (name === "UNKNOWN") return undefined;
    const retryAfterMs = this.#hint();
    return retryAfterMs === undefined ? { class: name } : { class: name, retryAfterMs };
  }

  #ask(rule: number, mark: number, error: unknown, special: Special, statusCode: number): number {
    const module = this.#module;
    const started = (this.#started ??= start<Memory>(module));
    const hint = read(error, "retryAfter");
    const hintMs = read(error, "retryAfterMs");
    const { name, status, code, headers, message, sqlstate, grpc, aws } = special;
    module.rewind();
    hand(module.texts(), [name, hint, headers, message, sqlstate, grpc, aws], started);
    return module.classify(
      rule,
      mark,
      number(status),
      statusCode,
      number(code),
      typeof hintMs === "number" ? Math.max(hintMs, 0) : typeof hint === "number" ? Math.max(hint * 1000, 0) : NaN,
      Math.floor(Date.now() / 1000),
    );
  }

  #hint(): number | undefined {
    const told = this.#module.hint();
    return Number.isNaN(told) ? undefined : told;
  }
}

/** How many letters there are room for, and of those for one that is a word: a name, a code or a hint. */
const CAPACITY = 4096;
const WORD = 256;
const NONE = 0xffff;

/** A text that says something by its first words or its last ones: of a long one, those. */
function ends(text: unknown): unknown {
  if (typeof text !== "string" || text.length <= 4 * WORD) return text;
  return `${text.slice(0, 2 * WORD)} ${text.slice(1 - 2 * WORD)}`;
}

/** As many of the lines as there is room for beside all the rest. */
function lines(text: unknown): unknown {
  const most = 5 * WORD;
  if (typeof text !== "string" || text.length <= most) return text;
  return text.slice(0, text.lastIndexOf("\n", most - 1) + 1);
}

/** Writes lengths first, then the texts. What is no word, or too long for one, is left out. */
function hand(at: number, [name, hint, headers, message, ...codes]: readonly unknown[], { memory }: Memory): void {
  const word = (text: unknown) => (typeof text === "string" && text.length <= WORD ? text : undefined);
  const texts = [word(name), word(hint), lines(headers), ends(message), ...codes.map(word)];
  const bytes = new Uint8Array(memory.buffer, at, CAPACITY);
  let end = 2 * texts.length;
  texts.forEach((text, nth) => {
    const length = typeof text === "string" ? text.length : NONE;
    bytes[2 * nth] = length & 0xff;
    bytes[2 * nth + 1] = length >> 8;
    if (typeof text !== "string") return;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      bytes[end + i] = unit < 128 ? unit : 63;
    }
    end += length;
  });
}
