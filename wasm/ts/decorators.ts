// The stage-3 decorator of methods.

import { object } from "./config/checks.js";
import { type PolicyHooks, type Wrapped, retry as wrap } from "./policy/policy.js";
import type { RetryOptions } from "./policy/retry-options.js";

/** An asynchronous method. */
type Method = (this: any, ...words: any[]) => PromiseLike<unknown>;

/** What the language tells a decorator of a method. */
interface MethodContext {
  /** What is decorated; anything but a method is refused by a TypeError. */
  readonly kind: "method";
  /** The name of the method, which events have as their operation. */
  readonly name: string | symbol;
}

/** Retries an asynchronous method; without any strategy with decorrelated jitter. */
export function retry(
  settings?: RetryOptions & PolicyHooks,
): <F extends Method>(method: F, context: MethodContext) => F;
/** Retries an asynchronous method with decorrelated jitter. */
export function retry<F extends Method>(method: F, context: MethodContext): F;
export function retry(given: unknown, context?: MethodContext): unknown {
  if (typeof given === "function" && context !== undefined) return decorated({}, given as Method, context);
  const settings = given === undefined ? {} : object("retry", given);
  return (method: Method, of: MethodContext) => decorated(settings, method, of);
}

function decorated(
  settings: RetryOptions & PolicyHooks,
  method: Method,
  { kind, name }: MethodContext,
): Wrapped<Method> {
  if (kind !== "method") throw new TypeError(`retry: a ${kind} cannot be retried; decorate a method`);
  return wrap({ operation: String(name), ...settings })(method);
}
