// Policies: retry and breaker around an operation.

import { decorrelatedJitter } from "../backoff/builtin.js";
import { call, execute } from "../call/asynchronous.js";
import type { Setting } from "../call/codes.js";
import { CALL_KEYS, checked, notify } from "../call/hooks.js";
import { isOptions, known } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type { Attempt, CallOptions, Circuit, CircuitState, Outcome, ResultClassifier } from "../types.js";
import { Handle } from "../wasm/handle.js";
import { inspects } from "../wasm/inspect.js";
import { STATE_EVENTS, STATES } from "../wasm/modules/names.js";
import { type Disposing, disposes } from "../wasm/using.js";
import type { CircuitBreaker } from "./breaker.js";
import { COPY, HERE, isForeign } from "./copies.js";
import { copied, RETRY_KEYS, RetryConfig, type RetryOptions, Rules, SHARED_KEYS } from "./retry-options.js";

/** What may be said once for all calls of a policy. */
export type PolicyHooks = Omit<CallOptions, "signal" | "deadlineMs" | "resume">;

/** What a policy is made of. */
export interface PolicyOptions
  extends PolicyHooks,
    Pick<RetryOptions, "classifier" | "resultClassifier" | "abortErrors" | "budget" | "clock" | "random" | "unref"> {
  /** What retries; without it a call makes one attempt. */
  retry?: Retry | RetryOptions | undefined;
  /** What rejects calls while the upstream is down; share one among all policies that call it. */
  circuitBreaker?: CircuitBreaker | Circuit<any> | undefined;
}

/** What a policy runs: a function of the attempt. */
type Operation<T> = (attempt: Attempt) => T;

/** How operations are run. */
export abstract class Runner {
  /** @internal */
  get [COPY](): object {
    return HERE;
  }

  /** @internal */
  abstract readonly setting: Setting;

  /** Runs `operation` until it succeeds or the policy stops it; throws what it threw last. */
  call<T>(operation: Operation<T>, options?: CallOptions): Promise<Awaited<T>> {
    return call(this, operation as never, options) as Promise<Awaited<T>>;
  }

  /** The same, with everything there is to know of it; throws only what is wrong in the use of it. */
  execute<T>(operation: Operation<T>, options?: CallOptions): Promise<Outcome<Awaited<T>>> {
    return execute(this, operation as never, options) as Promise<Outcome<Awaited<T>>>;
  }
}

/** A runner with a breaker, which is opened and closed by hand here, so that the hooks of its policy get the events. */
export abstract class Guarded extends Runner {
  /** Opens the breaker as failures would: for the recovery time. The new state, or null if it stayed the same or there is none. */
  trip(): CircuitState | null {
    return this.#byHand("trip");
  }

  /** Opens the breaker until `reset`. The new state, or null if it stayed the same or there is none. */
  isolate(): CircuitState | null {
    return this.#byHand("isolate");
  }

  /** Closes the breaker and forgets all failures. The new state, or null if it stayed the same or there is none. */
  reset(): CircuitState | null {
    return this.#byHand("reset");
  }

  /**
   * For a graceful shutdown: calls that wait for a delay end as ABORTED, and so do those whose attempt fails from now on,
   * in place of a delay. Attempts in flight go on, and a new call makes its first attempt. Resolves once no call is under
   * way. A `Retry` that several policies share is drained for all of them.
   */
  drain(): Promise<void> {
    return this.setting.rules.drain();
  }

  #byHand(how: "trip" | "isolate" | "reset"): CircuitState | null {
    const { breaker, circuit, hooks, key } = this.setting;
    if (circuit !== undefined) throw new TypeError(`policy.${how}: its circuitBreaker is your own: ask that`);
    const state = breaker?.[how]() ?? null;
    if (state !== null && hooks !== undefined) {
      const named = key ?? hooks.operation;
      const operation = named === undefined ? {} : { operation: named };
      notify([hooks], {
        event: STATE_EVENTS[STATES.indexOf(state)]!,
        attempt: 0,
        sleepMs: 0,
        elapsedMs: 0,
        state,
        ...operation,
      });
    }
    return state;
  }
}

/** What each class of failure deserves, for one policy or several. */
export class Retry extends Runner {
  /** The settings as they were given. */
  readonly config: RetryOptions;
  /** @internal */
  readonly setting: Setting;

  /** Retrying by checked options: a TypeError or a RangeError names the wrong one by its path. */
  constructor(settings: RetryOptions) {
    super();
    this.config = Object.freeze(copied(settings));
    const rules = new Rules(this.config, false);
    this.setting = { rules, breaker: undefined, circuit: undefined, hooks: undefined, observed: false };
  }
}

const HOOKS = CALL_KEYS.filter((key) => !["signal", "deadlineMs", "resume", "sleeper"].includes(key));
const POLICY_KEYS = ["retry", "circuitBreaker", ...SHARED_KEYS, ...HOOKS];

/** The entries of `given` with these keys that are there. */
function picked(given: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> | undefined {
  const found = keys.filter((key) => given[key] !== undefined);
  return found.length === 0 ? undefined : Object.fromEntries(found.map((key) => [key, given[key]]));
}

/** Retry and breaker around an operation; without retry it makes one attempt. */
export class Policy extends Guarded {
  /** What retries, if anything does. */
  readonly retry: Retry | undefined;
  /** Its breaker, if it has one. */
  readonly circuitBreaker: CircuitBreaker | Circuit<any> | undefined;
  #setting: Setting | undefined;
  /** Rules that are not its own. */
  readonly #lent: Rules | undefined;

  /** A policy of checked options: a TypeError or a RangeError names the wrong one by its path. */
  constructor(settings: PolicyOptions = {}) {
    super();
    const given = known("policy", settings, POLICY_KEYS);
    const shared = picked(given, SHARED_KEYS);
    this.retry = retryOf(given["retry"], shared);
    const hooks = picked(given, HOOKS) as CallOptions | undefined;
    const observed = hooks === undefined ? false : checked("policy", hooks);
    const breaker = circuitOf(given["circuitBreaker"]);
    this.circuitBreaker = breaker;
    if (this.retry !== undefined && this.retry === given["retry"]) this.#lent = this.retry.setting.rules;
    const rules = this.retry?.setting.rules ?? new Rules(shared ?? {}, true);
    const isOurs = breaker instanceof Handle;
    const circuit = isOurs ? undefined : breaker;
    this.#setting = { rules, breaker: isOurs ? (breaker as CircuitBreaker) : undefined, circuit, hooks, observed };
  }

  /** @internal */
  get setting(): Setting {
    if (this.#setting === undefined) throw new Error("policy: it was disposed of");
    return this.#setting;
  }

  /** Its options and the state of its breaker and budget as plain data, which consoles show, too. */
  toJSON(): object {
    return { ...this.retry?.config, circuitBreaker: this.circuitBreaker };
  }

  /** Refuses every call from now on. Those in flight go on; after the last of them its memory is given back. */
  dispose(): void {
    const rules = this.#setting?.rules;
    this.#setting = undefined;
    // Those of a Retry that was given may serve other policies.
    if (rules !== this.#lent) rules?.dispose();
  }
}

disposes(Policy);
inspects(Policy);

/** `using` disposes of it. */
export interface Policy extends Disposing {}

function circuitOf(value: unknown): Circuit | undefined {
  const { admit, settle } = (value ?? {}) as Partial<Circuit>;
  const fits = value === undefined || (typeof admit === "function" && typeof settle === "function");
  return fits
    ? (value as Circuit | undefined)
    : refuse("policy.circuitBreaker", value, "a CircuitBreaker, or an object with `admit` and `settle`");
}

/** The retry of a policy, which lends it what it does not say itself. */
function retryOf(given: unknown, shared: Record<string, unknown> | undefined): Retry | undefined {
  if (given === undefined) return undefined;
  if (given instanceof Retry) {
    return shared === undefined ? given : new Retry({ ...shared, ...picked({ ...given.config }, RETRY_KEYS) });
  }
  return isOptions(given) && !isForeign(given)
    ? new Retry({ ...shared, ...given })
    : refuse("retry", given, "a Retry or its options");
}

/** A policy that retries and does nothing else, of the options of both. */
export class RetryPolicy extends Policy {
  /** A policy of a `Retry`, of a `RetryConfig`, or of the options of retrying and hooks together. */
  constructor(settings: Retry | RetryConfig | (RetryOptions & PolicyHooks)) {
    super(parts(settings));
  }
}

function parts(settings: unknown): PolicyOptions {
  if (settings instanceof Retry || settings instanceof RetryConfig) return { retry: settings };
  if (isForeign(settings)) refuse("retry", settings, "a Retry or its options");
  const given = known("retry", settings, [...RETRY_KEYS, ...HOOKS]);
  return { ...picked(given, HOOKS), retry: picked(given, RETRY_KEYS) ?? {} };
}

/** Any function. */
type AnyFunction = (this: any, ...words: any[]) => unknown;

/** A function with a policy around it. */
export type Wrapped<F extends AnyFunction> = (
  this: ThisParameterType<F>,
  ...words: Parameters<F>
) => Promise<Awaited<ReturnType<F>>>;

/** The options of `retry`: those of retrying, and what a policy says for all its calls. */
type RetrySettings = RetryOptions & PolicyHooks;

/** The policy of `retry(operation)`, made once. */
let usual: RetryPolicy | undefined;

/**
 * Runs an operation with retries, and resolves to what it returns or rejects with what it threw last: `await
 * retry(() => fetch(url))`. Without options it makes six attempts at most within a minute, with decorrelated jitter; a
 * breaker, a shared budget or many calls with the same options deserve a policy.
 */
export function retry<T>(
  operation: (attempt: Attempt) => T,
  options?: Omit<RetrySettings, "resultClassifier"> &
    CallOptions & {
      /** Says whether a returned value is a failure after all. */
      resultClassifier?: ResultClassifier<Awaited<T>> | undefined;
    },
): Promise<Awaited<T>>;
/** Puts retries around a function, named after it. Without any strategy it has decorrelated jitter. */
export function retry(options?: RetrySettings): <F extends AnyFunction>(wrapped: F) => Wrapped<F>;
export function retry(first: unknown = {}, options?: RetrySettings & CallOptions): unknown {
  if (typeof first !== "function") return around(first);
  try {
    const { signal, ...settings } = options ?? {};
    const policy = options === undefined ? (usual ??= jittered({})) : jittered(settings);
    return policy.call(first as Operation<unknown>, signal ? { signal } : undefined);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A policy of these options, with decorrelated jitter if they have no strategy. */
function jittered(settings: unknown): RetryPolicy {
  const own: RetrySettings = known("retry", settings, [...RETRY_KEYS, ...HOOKS]);
  const isBare = own.strategy === undefined && own.strategies === undefined;
  return new RetryPolicy(isBare ? { ...own, strategy: decorrelatedJitter() } : own);
}

function around(settings: unknown) {
  const policy = jittered(settings);
  return <F extends AnyFunction>(wrapped: F): Wrapped<F> => {
    if (typeof wrapped !== "function") refuse("retry", wrapped, "a function");
    const operation = (settings as RetrySettings).operation ?? wrapped.name;
    const named = operation === "" ? undefined : { operation };
    const repeated = function (this: ThisParameterType<F>, ...words: Parameters<F>) {
      return policy.call(() => wrapped.apply(this, words) as ReturnType<F>, named);
    };
    Object.defineProperty(repeated, "name", { value: wrapped.name, configurable: true });
    return repeated as Wrapped<F>;
  };
}
