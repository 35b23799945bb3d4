// The core's module: started at the first construction, once, and without waiting.

import { compiled } from "./modules/core.js";

/** What the module exports; addresses and times are numbers. */
export interface Core {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly __indirect_function_table: { readonly length: number; grow(by: number): unknown };
  table(): number;
  memory_reserve(bytes: number): number;
  memory_release(slot: number): void;
  strategy_new(kind: number, first: number, second: number, link: number): number;
  policy_new(): number;
  policy_limit(policy: number): number;
  breaker_new(): number;
  breaker_state(slot: number): number;
  breaker_switch(slot: number, how: number, now: number): number;
  breaker_check(slot: number, now: number): number;
  breaker_admit(slot: number, now: number): number;
  breaker_settle(slot: number, permit: number, result: number, random: number, now: number): number;
  budget_rolling(maxRetries: number, windowMs: number): number;
  budget_ratio(ratioMilli: number, floorPerSec: number, limit: number, initial: number): number;
  budget_consume(slot: number, cost: number, now: number): number;
  budget_deposit(slot: number): void;
  budget_remaining(slot: number, now: number): number;
  call_begin(policy: number, breaker: number, budget: number, now: number, deadline: number): number;
  call_probe(policy: number, breaker: number, budget: number, now: number, deadline: number, breakerNow: number): number;
  call_start(call: number): number;
  call_remaining(call: number): number;
  call_remaining_at(call: number, now: number): number;
  call_timeout(call: number): number;
  call_class(call: number): number;
  call_fail(call: number, now: number, errorClass: number, how: number, retryAfter: number, budgetNow: number, breakerNow: number): number;
  call_defer(call: number, budgetNow: number): number;
  call_next_sleep(call: number, reason: number): number;
  call_woke(call: number, now: number): number;
  call_succeed(call: number, now: number, breakerNow: number): number;
  call_stop(call: number, reason: number, breakerNow: number): number;
  classify_name(): number;
  classify(strict: number, marker: number, status: number, code: number, length: number): number;
}

/** What the core asks of the call that it decides about. */
export interface Asked {
  /** A random number in 0..2^32, or -1. */
  draw(): number;
  /** The delay of a strategy written in JavaScript, NaN for none. */
  delay(attempt: number, errorClass: number, cause: number, previous: number, remaining: number, retryAfter: number): number;
}

/** WebAssembly is not to be had here. */
export class WasmUnavailableError extends Error {
  override readonly name = "WasmUnavailableError";
  readonly code = "REDRESS_WASM_UNAVAILABLE";
}

let started: Core | undefined;
let asked: Asked | undefined;
let numbers: Float64Array | undefined;
let registry: FinalizationRegistry<number> | undefined;

/** The exports of a module's instance. */
export function instance<E>(compiled: () => object, imports?: Record<string, Record<string, any>>): E {
  try {
    // A copy: the exports themselves are an object that engines look up slowly.
    return { ...(new WebAssembly.Instance(compiled() as WebAssembly.Module, imports).exports as E) };
  } catch (cause) {
    const message =
      "redress: WebAssembly could not be started; a Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src";
    throw new WasmUnavailableError(message, { cause });
  }
}

/** The core, started if it is not. */
export function core(): Core {
  return started ?? start();
}

function start(): Core {
  const js = {
    draw: () => asked!.draw(),
    delay: (...words: Parameters<Asked["delay"]>) => asked!.delay(...words),
  };
  started = instance<Core>(compiled, { js });
  if (typeof FinalizationRegistry === "function") {
    registry = new FinalizationRegistry(started.memory_release);
  }
  return started;
}

/** From now on the core asks `who`; returns whom it asked before, to whom it goes back. */
export function answering(who: Asked | undefined): Asked | undefined {
  const before = asked;
  asked = who;
  return before;
}

/** The table of numbers for settings and answers. */
export function table(): Float64Array {
  const { memory, table: address } = core();
  if (numbers === undefined || numbers.buffer !== memory.buffer) {
    numbers = new Float64Array(memory.buffer, address(), 32);
  }
  return numbers;
}

/** Gives a slot back once its owner is collected. */
export function owned(owner: object, slot: number): number {
  if (slot === 0) throw new RangeError("redress: out of memory, or a setting out of its range");
  registry?.register(owner, slot);
  return slot;
}
