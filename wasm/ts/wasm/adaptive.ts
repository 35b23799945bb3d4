// The module of strategies that adapt.

import { __wbg_set_wasm, compiled, imports } from "./modules/adaptive.js";
import { sharing } from "./shared.js";

/** Comes before a strategy that adapts is made. */
export const enterAdaptive: () => void = /* @__PURE__ */ sharing({ compiled, imports, __wbg_set_wasm });
