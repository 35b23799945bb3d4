// The module of what few programs use: snapshots and windows of a rate, in the memory of the core.

import { enter, start } from "./core.js";
import { __wbg_set_wasm, compiled, imports, rewind } from "./modules/extras.js";

let started: object | undefined;

/** Comes before each use of the module, as `enter` does for the core. */
export function enterExtras(): void {
  const shared = enter();
  if (started === undefined) started = start({ compiled, imports, __wbg_set_wasm }, shared);
  else rewind();
}
