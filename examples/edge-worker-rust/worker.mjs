// The shim between workerd and the program: wasm-bindgen's glue, and the module that it is for.
// `worker-build` and wrangler write one of their own.

import * as glue from "./build/worker_bg.js";
import module from "./build/worker_bg.wasm";

const { exports } = new WebAssembly.Instance(module, { "./worker_bg.js": glue });
glue.__wbg_set_wasm(exports);
exports.__wbindgen_start();

export default { fetch: glue.fetch };
