// A running 64-bit FNV-1a over what an engine decides, as tests/vectors/README.md lays it out.

const CLASSES = [
  "AUTH",
  "PERMISSION",
  "PERMANENT",
  "CONCURRENCY",
  "RATE_LIMIT",
  "SERVER_ERROR",
  "TRANSIENT",
  "UNKNOWN",
];
const EVENTS = [
  "success",
  "retry",
  "permanent_fail",
  "deadline_exceeded",
  "max_attempts_exceeded",
  "max_unknown_attempts_exceeded",
  "no_strategy_configured",
  "budget_exhausted",
  "scheduled",
  "aborted",
  "circuit_opened",
  "circuit_half_open",
  "circuit_closed",
  "circuit_rejected",
];
const REASONS = [
  "MAX_ATTEMPTS_GLOBAL",
  "MAX_ATTEMPTS_PER_CLASS",
  "DEADLINE_EXCEEDED",
  "MAX_UNKNOWN_ATTEMPTS",
  "NON_RETRYABLE_CLASS",
  "NO_STRATEGY",
  "BUDGET_EXHAUSTED",
  "SCHEDULED",
  "ABORTED",
];
const CAUSES = ["exception", "result"];
const STATES = ["closed", "open", "half_open"];
const PRIME = 0x100000001b3n;

/** The place of a name in its list, 0xFF if there is none; a name that is not in it throws. */
function number(list, name) {
  if (name === undefined || name === null) return 0xff;
  const index = list.indexOf(name);
  if (index < 0) throw new Error(`${name} is not one of ${list.join(", ")}`);
  return index;
}

export class Digest {
  #value = 0xcbf29ce484222325n;

  #byte(byte) {
    this.#value = ((this.#value ^ BigInt(byte)) * PRIME) & 0xffffffffffffffffn;
  }

  #integer(value, bytes) {
    let rest = BigInt(value);
    for (let n = 0; n < bytes; n += 1) {
      this.#byte(Number(rest & 0xffn));
      rest >>= 8n;
    }
  }

  /** An event, when it is emitted; its delay in microseconds. */
  event({ event, attempt, class: errorClass, cause, stopReason, state }, sleepUs) {
    this.#byte(number(EVENTS, event));
    this.#integer(attempt, 4);
    this.#integer(sleepUs, 8);
    this.#byte(number(CLASSES, errorClass));
    this.#byte(number(CAUSES, cause));
    this.#byte(number(REASONS, stopReason));
    this.#byte(number(STATES, state));
  }

  /** A call that ran, when it ends. */
  ended({ ok, stopReason, attempts, lastClass, cause, elapsedUs, nextSleepUs }) {
    this.#byte(0xf0);
    this.#byte(ok ? 1 : 0);
    this.#byte(number(REASONS, stopReason));
    this.#integer(attempts, 4);
    this.#byte(number(CLASSES, lastClass));
    this.#byte(number(CAUSES, cause));
    this.#integer(elapsedUs, 8);
    this.#integer(nextSleepUs ?? 0xffffffffffffffffn, 8);
  }

  /** A call that was rejected. */
  rejected(state) {
    this.#byte(0xf1);
    this.#byte(number(STATES, state));
  }

  toString() {
    return this.#value.toString(16).padStart(16, "0");
  }
}
