// What starts a program of Rust on every runtime: the glue that wasm-bindgen wrote, and a compiled module.

const timers = new Set();
const { setTimeout: set, clearTimeout: clear } = globalThis;

/** Counts the timers that are neither due nor cleared; the program asks for them. */
function countTimers() {
  globalThis.setTimeout = (callback, delayMs) => {
    const handle = set(() => {
      timers.delete(handle);
      callback();
    }, delayMs);
    timers.add(handle);
    return handle;
  };
  globalThis.clearTimeout = (handle) => {
    timers.delete(handle);
    clear(handle);
  };
  globalThis.openTimers = () => timers.size;
}

/** Instantiates a compiled module with its glue, whose functions are then ready. */
export function start(name, glue, module) {
  countTimers();
  const instance = new WebAssembly.Instance(module, { [`./${name}_bg.js`]: glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  return glue;
}
