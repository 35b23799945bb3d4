// The module of what few programs use: snapshots and windows of a rate, in the memory of the core.

import { core, instance } from "./core.js";
import { compiled } from "./modules/more.js";

/** What it exports, about slots of the core. */
interface More {
  window_new(): number;
  snapshot_bytes(kind: number, slot: number): number;
  snapshot_save(kind: number, slot: number, now: number, out: number): void;
  snapshot_load(kind: number, slot: number, now: number, from: number, length: number, off: number): number;
}

/** Where its functions end in the table that it shares with the core, at most. */
const FUNCTIONS = 192;

let started: More | undefined;

/** The module, started if it is not. */
export function more(): More {
  return (started ??= start());
}

function start(): More {
  const { memory, __indirect_function_table: functions, table, memory_reserve, memory_release } = core();
  functions.grow(FUNCTIONS - functions.length);
  return instance<More>(compiled, {
    "env": { "memory": memory, "__indirect_function_table": functions },
    "core": { "table": table, "memory_reserve": memory_reserve, "memory_release": memory_release },
  });
}
