// State as plain data for JSON: the core's bytes as text.

import { options } from "../config/checks.js";
import { refuse as refused, show } from "../config/issues.js";
import type { CircuitBreaker } from "../policy/breaker.js";
import type { Budget } from "../policy/budget.js";
import { bytes, release, reserve } from "../wasm/core.js";
import { enterExtras } from "../wasm/extras.js";
import { Handle } from "../wasm/handle.js";
import { snapshot_bytes, snapshot_load, snapshot_save } from "../wasm/modules/extras.js";
import { SNAPSHOT_ERRORS } from "../wasm/modules/names.js";

/** The state of a breaker or a budget, as `snapshot` gives and `restore` takes it. */
export interface Snapshot {
  /** What it is the state of. */
  readonly kind: "circuit_breaker" | "budget";
  /** The version of the form; `restore` refuses another. */
  readonly version: 1;
  /** The core's bytes, two digits each, with their checksum. */
  readonly data: string;
}

/** What is known besides. */
export interface RestoreOptions {
  /** How long ago it was taken, in milliseconds, 0 and up; without it time stood still since. */
  offMs?: number | undefined;
}

const KINDS = ["circuit_breaker", "budget"] as const;

/** The state of a breaker or a budget as plain data. */
export function snapshot(state: CircuitBreaker | Budget): Snapshot {
  checkOwn("snapshot", state);
  const kind = "consume" in state ? 1 : 0;
  const now = state.clock();
  enterExtras();
  const { slot } = state;
  const length = snapshot_bytes(kind, slot);
  const at = reserve(length);
  try {
    snapshot_save(kind, slot, now, at);
    let data = "";
    for (const byte of bytes(at, length)) data += byte.toString(16).padStart(2, "0");
    return { kind: KINDS[kind], version: 1, data };
  } finally {
    release(at);
  }
}

/** Gives a breaker or a budget the state of a snapshot. A wrong one is refused by a TypeError, and changes nothing. */
export function restore(state: CircuitBreaker | Budget, snapshot: Snapshot, settings: RestoreOptions = {}): void {
  checkOwn("restore", state);
  const { offMs } = options("restore", settings, { offMs: [NaN] });
  const given = snapshot as Partial<Snapshot> | null | undefined;
  const refuse = (why: string) => new TypeError(`restore: ${why}`);
  const kind = "consume" in state ? 1 : 0;
  if (typeof given !== "object" || given === null) throw refuse(`${show(snapshot)} is no snapshot`);
  if (given.kind !== KINDS[kind]) throw refuse(`snapshot is of a ${show(given.kind)}, and not of a ${KINDS[kind]}`);
  if (given.version !== 1) throw refuse(`snapshot has version ${given.version}: this one reads version 1`);
  const { data } = given;
  if (typeof data !== "string" || !/^([0-9a-f]{2})+$/.test(data))
    throw refuse("snapshot is damaged: its data are not pairs of hexadecimal digits");
  const now = state.clock();
  enterExtras();
  const { slot } = state;
  const length = snapshot_bytes(kind, slot);
  // No room is made for what is refused anyway.
  if (data.length !== 2 * length) throw refuse(`snapshot has ${data.length / 2} bytes: this state needs ${length}`);
  const at = reserve(length);
  let wrong: number;
  try {
    bytes(at, length).set(Uint8Array.from({ length }, (_, n) => parseInt(data.slice(2 * n, 2 * n + 2), 16)));
    wrong = snapshot_load(kind, slot, now, at, length, offMs);
  } finally {
    release(at);
  }
  if (wrong !== 0) throw refuse(SNAPSHOT_ERRORS[wrong - 2]!);
}

/** Refuses what has its state elsewhere: in another copy of the package, in a Durable Object, or nowhere. */
function checkOwn(path: string, state: unknown): void {
  if (!(state instanceof Handle) || !("admit" in state || "consume" in state))
    refused(path, state, "a CircuitBreaker or a Budget");
}
