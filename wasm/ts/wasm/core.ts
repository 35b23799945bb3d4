// The core's module: started at the first construction, once, and without waiting.

import { deciding } from "./callbacks.js";
import {
  __wbg_set_wasm,
  compiled,
  imports,
  memory_release,
  memory_reserve,
  rewind,
  table as tableAt,
} from "./modules/core.js";
import { FUNCTIONS, PAGES } from "./modules/layout.js";

/** A module of WebAssembly as the build has it: the functions of wasm-bindgen, and what starts them. */
export interface Startable {
  /** The module, compiled, in a form of its own for each condition of the package. */
  compiled(): object;
  /** What it imports, of what modules share and of JavaScript. */
  imports(shared?: object): Record<string, any>;
  /** Has the functions call an instance. */
  __wbg_set_wasm(exports: object): void;
}

/** What has a memory. */
export interface Memory {
  readonly memory: { readonly buffer: ArrayBuffer };
}

/** What modules share: the functions of one are called by the other, on the same slots and the same stack. */
export interface Shared extends Memory {
  readonly __indirect_function_table: object;
  readonly __stack_pointer: object;
}

/**
 * WebAssembly could not be started, and the message says why: a page's Content-Security-Policy forbids it, an old browser
 * compiles no more than 4 KB at once, or there is none. Thrown by the first construction.
 */
export class WasmUnavailableError extends Error {
  /** `"WasmUnavailableError"`. */
  override readonly name = "WasmUnavailableError";
  /** `"REDRESS_WASM_UNAVAILABLE"`, the same in every copy of the package. */
  readonly code = "REDRESS_WASM_UNAVAILABLE";
}

let started: Shared | undefined;
let numbers: Float64Array | undefined;
let registry: FinalizationRegistry<number> | undefined;

/** What WebAssembly makes, or the error that says why it does not. */
function made<M>(make: () => M): M {
  try {
    return make();
  } catch (cause) {
    const said = String(cause);
    // Engines name the policy or what it must allow, and Chromium the thread.
    const why =
      typeof WebAssembly === "undefined"
        ? "this runtime has none, like Hermes of React Native, and iOS in lockdown mode"
        : /CSP|security.policy|unsafe-eval/i.test(said)
          ? "a Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src"
          : /main thread/.test(said)
            ? "on its main thread this browser compiles 4 KB at most; Chromium 114 does more, and so does a worker"
            : said;
    throw new WasmUnavailableError(`redress: WebAssembly could not be started: ${why}`, { cause });
  }
}

/** Starts a module; what its instance exports. */
export function start<E>({ compiled, imports, __wbg_set_wasm }: Startable, shared?: object): E {
  // A copy: the exports themselves are an object that engines look up slowly.
  const exports = made(() => ({
    ...new WebAssembly.Instance(compiled() as WebAssembly.Module, imports(shared)).exports,
  }));
  __wbg_set_wasm(exports);
  return exports as E;
}

/** Comes before each use of the core: starts it, or rewinds the stack that an exception has passed. */
export function enter(): Shared {
  if (started === undefined) return startCore();
  if (deciding.call === undefined) rewind();
  return started;
}

function startCore(): Shared {
  const shared = made(() => ({
    memory: new WebAssembly.Memory({ initial: PAGES }),
    __indirect_function_table: new WebAssembly.Table({ initial: FUNCTIONS, element: "anyfunc" }),
  }));
  const { __stack_pointer } = start<Shared>({ compiled, imports, __wbg_set_wasm }, shared);
  if (typeof FinalizationRegistry === "function") registry = new FinalizationRegistry(release);
  return (started = { ...shared, __stack_pointer });
}

/** The table of numbers for settings and answers. */
export function table(): Float64Array {
  const { memory } = enter();
  // Where memory has grown, what was a view of it has no length any more.
  if (!numbers?.length) numbers = new Float64Array(memory.buffer, tableAt(), 32);
  return numbers;
}

/** Milliseconds as the core counts them, in whole microseconds; `none` for NaN. */
export function micros(ms: number, none = Infinity): number {
  return Number.isNaN(ms) ? none : Math.floor(ms * 1000 + 0.5);
}

/** Bytes of the core's memory, until it grows. */
export function bytes(at: number, length: number): Uint8Array {
  return new Uint8Array(enter().memory.buffer, at, length);
}

/** A slot for so many bytes. */
export function reserve(length: number): number {
  enter();
  return checked(memory_reserve(length));
}

/** Gives a slot back, and those that belong to it. */
export function release(slot: number): void {
  enter();
  memory_release(slot);
}

/** A slot that the core has made, if it could. */
export function checked(slot: number): number {
  if (slot === 0) throw new RangeError("redress: out of memory, or a setting out of its range");
  return slot;
}

/** Gives a slot back once its owner is collected. */
export function owned(owner: object, slot: number): number {
  registry?.register(owner, checked(slot), owner);
  return checked(slot);
}

/** Gives a slot back before its owner is collected. */
export function disowned(owner: object, slot: number): void {
  registry?.unregister(owner);
  release(slot);
}
