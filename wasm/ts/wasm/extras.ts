// The module of what few programs use: snapshots, and windows of a rate.

import { __wbg_set_wasm, compiled, imports } from "./modules/extras.js";
import { sharing } from "./shared.js";

/** Comes before each use of the module. */
export const enterExtras: () => void = /* @__PURE__ */ sharing({ compiled, imports, __wbg_set_wasm });
