// The module of breakers and budgets.

import { __wbg_set_wasm, compiled, imports } from "./modules/guards.js";
import { sharing } from "./shared.js";

/** Comes before a breaker or a budget is made; whatever is asked of one comes after that. */
export const enterGuards: () => void = /* @__PURE__ */ sharing({ compiled, imports, __wbg_set_wasm });
