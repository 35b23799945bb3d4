// What a call gives its caller, and what an error that it threw says of it.

import { keep, kept } from "../errors.js";
import type { Failure, Outcome } from "../types.js";
import type { Machine } from "./machine.js";

/** The calls that threw errors of others. @internal */
export const ended = new WeakMap<object, Machine<any>>();

/** Lets `outcomeOf` know how a call ended by `execute` whose error is thrown all the same. @internal */
export function remember(error: unknown, outcome: Outcome<unknown>): void {
  if (typeof error === "object" && error !== null) ended.set(error, { outcome } as never);
}

/** The value of a call, or what it throws. @internal */
export function valueOrThrow<T>(machine: Machine<T>): T {
  if (machine.ok) return machine.value as T;
  const { thrown } = machine;
  if (typeof thrown === "object" && thrown !== null && !keep(thrown, machine)) ended.set(thrown, machine);
  throw thrown;
}

/** The outcome of a call. @internal */
export function outcome<T>(machine: Machine<T>): Outcome<T> {
  return machine.outcome;
}

/**
 * The outcome of the call that threw this error, as `execute` would have given it: why it stopped, after how many attempts,
 * what came before. Undefined for any other error, and for what is no object. Of an error that several calls threw it is that of the
 * latest.
 */
export function outcomeOf(error: unknown): Failure<unknown> | undefined {
  const thrown = Object(error);
  return ((kept(thrown) ?? ended.get(thrown)) as Machine<unknown> | undefined)?.outcome as Failure<unknown> | undefined;
}
