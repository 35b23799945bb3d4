// State as plain data for JSON: the core's bytes as text.

import type { CircuitBreaker } from "./breaker.js";
import type { Budget } from "./budget.js";
import { core } from "./core.js";
import { more } from "./more.js";
import { onlyNumbers, show } from "./options.js";

/** The state of a breaker or a budget, as `snapshot` gives and `restore` takes it. */
export interface Snapshot {
  readonly kind: "circuit_breaker" | "budget";
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
const WRONG = [
  "",
  "it has another length than this state needs",
  "it is of another kind of state",
  "it was written by another version",
  "it was taken under other settings",
  "it is damaged: its checksum is wrong",
  "it holds a value that is out of range",
];

/** The state of a breaker or a budget as plain data. */
export function snapshot(state: CircuitBreaker | Budget): Snapshot {
  const kind = "consume" in state ? 1 : 0;
  const { slot } = state;
  const length = more().snapshot_bytes(kind, slot);
  const at = core().memory_reserve(length);
  more().snapshot_save(kind, slot, state.clock(), at);
  let data = "";
  for (const byte of new Uint8Array(core().memory.buffer, at, length)) data += byte.toString(16).padStart(2, "0");
  core().memory_release(at);
  return { kind: KINDS[kind], version: 1, data };
}

/** Gives a breaker or a budget the state of a snapshot. A wrong one is refused by a TypeError, and changes nothing. */
export function restore(state: CircuitBreaker | Budget, snapshot: Snapshot, settings: RestoreOptions = {}): void {
  const [off] = onlyNumbers("restore", settings, { offMs: [NaN] });
  const given = snapshot as Partial<Snapshot> | null | undefined;
  const refuse = (why: string) => new TypeError(`restore: ${show(snapshot)} is refused: ${why}`);
  const kind = "consume" in state ? 1 : 0;
  const { slot } = state;
  if (typeof given !== "object" || given === null) throw refuse("it is no snapshot");
  if (given.kind !== KINDS[kind]) throw refuse(`it is no snapshot of a ${KINDS[kind]}`);
  if (given.version !== 1) throw refuse(`it has version ${given.version}, and this one reads version 1`);
  const { data } = given;
  if (typeof data !== "string" || !/^([0-9a-f]{2})+$/.test(data)) throw refuse("its data is damaged");
  const at = core().memory_reserve(data.length / 2);
  const bytes = new Uint8Array(core().memory.buffer, at, data.length / 2);
  for (let n = 0; n < bytes.length; n += 1) bytes[n] = parseInt(data.slice(2 * n, 2 * n + 2), 16);
  const wrong = more().snapshot_load(kind, slot, state.clock(), at, bytes.length, off!);
  core().memory_release(at);
  if (wrong !== 0) throw refuse(WRONG[wrong]!);
}
