// Watching the calls of a policy, by any number of watchers at once.

import type { Setting } from "../call/codes.js";
import { isThenable } from "../call/hooks.js";
import { known, optionValue } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { isForeign } from "../policy/copies.js";
import type { KeyedPolicy } from "../policy/keyed.js";
import type { Runner } from "../policy/policy.js";
import type { Attempt, CallOptions, Hooks } from "../types.js";
import { AROUND } from "./around.js";
import { endsCall } from "./events.js";
import { Status, type WatchedPolicy } from "./status.js";

/** What watches one call: hooks, and two more. What any of them throws changes nothing. */
export interface CallWatch extends Pick<Hooks, "onEvent" | "onAttemptStart" | "onAttemptEnd"> {
  /** Runs the operation of an attempt, with a context around it for instance; not of `redressFetch`, `callSync` and `begin`, nor of got. */
  run?<T>(operation: () => T): T;
  /** The call is over, after all its events; `error` is what `call` or `execute` rejects with. */
  onEnd?(error?: unknown): void;
}

/** What watches policies: `openTelemetry`, `prometheus`, `sentry`, `datadog` or `log` makes one. */
export interface Watcher {
  /** Begins to watch a policy: makes what watches each call, as it begins. */
  watch(policy: WatchedPolicy): () => CallWatch;
}

/** What is said of a policy that is watched. */
export interface WatchOptions {
  /** The name of what the policy calls, for labels: `orders`. Without one there is no such label. */
  upstream?: string | undefined;
}

/** The hooks of a policy that are composed. */
const COMPOSED = ["onEvent", "onAttemptStart", "onAttemptEnd"] as const;

/**
 * Has watchers watch all calls of a policy from now on, beside its own hooks, and returns the policy itself. Of a
 * `KeyedPolicy` the calls of every key are watched.
 */
export function watch<P extends Runner | KeyedPolicy>(
  policy: P,
  watchers: readonly Watcher[],
  options: WatchOptions = {},
): P {
  const { upstream } = known("watch", options, ["upstream"]) as WatchOptions;
  optionValue("watch.upstream", upstream, "string");
  if (!Array.isArray(watchers)) refuse("watch.watchers", watchers, "an array of watchers");
  watchers.forEach((watcher, at) => {
    if (typeof watcher?.watch !== "function") refuse(`watch.watchers[${at}]`, watcher, "a watcher");
  });
  const keyed = "at" in Object(policy) ? (policy as KeyedPolicy) : undefined;
  const runner = keyed?.template ?? (policy as Runner);
  const setting: Setting =
    (isForeign(policy) ? undefined : runner?.setting) ?? refuse<Setting>("watch", policy, "a policy");
  // Looked up each time: a policy of data may have other settings by then.
  const now = () => (keyed?.template ?? runner).setting;
  const status = new Status(upstream, keyed === undefined ? now : undefined);
  const makers = watchers.map((watcher) => watcher.watch(status));
  const calls = new Calls(() => [status, ...makers.map((make) => make())]);
  calls.observe(setting);
  if (keyed === undefined) calls.surround(runner);
  else {
    const { at } = keyed;
    replace(keyed, "at", (key: string) => {
      const ofKey = at.call(keyed, key);
      status.follow(ofKey, now);
      return calls.surround(ofKey);
    });
  }
  return policy;
}

/** The calls of one policy. */
class Calls {
  readonly #begin: () => CallWatch[];
  /** What watches the call that `call` or `execute` is about to begin. */
  #next: CallWatch[] | undefined;

  constructor(begin: () => CallWatch[]) {
    this.#begin = begin;
  }

  /** Has each call that reads the hooks of the setting, which it does once, find those of its own there. */
  observe(setting: Setting): void {
    const own = Object.getOwnPropertyDescriptor(setting, "hooks")!;
    const get = (): CallOptions => {
      const hooks = (own.get === undefined ? own.value : own.get()) as CallOptions | undefined;
      const begun = this.#next;
      this.#next = undefined;
      return begun === undefined ? endedByEvents(hooks, this.#begin()) : composed(hooks, begun);
    };
    Object.defineProperty(setting, "hooks", { get, enumerable: true, configurable: true });
    (setting as { observed: boolean }).observed = true;
  }

  /** Has `call` and `execute` run operations within their watches, and notify these of the end. */
  surround<R extends Runner>(runner: R): R {
    for (const name of ["call", "execute"] as const) {
      const inner = runner[name];
      replace(runner, name, (operation: (attempt: Attempt) => unknown, options?: CallOptions) => {
        if (typeof operation !== "function") return inner.call(runner, operation, options);
        const watches = this.#begin();
        const operate = (attempt: Attempt) => within(watches, () => operation(attempt));
        this.#next = watches;
        try {
          const result = inner.call(runner, operate, options) as Promise<unknown>;
          result.then(
            () => end(watches),
            (error: unknown) => end(watches, error),
          );
          return result;
        } finally {
          this.#next = undefined;
        }
      });
    }
    return runner;
  }
}

/** Gives an object a method of its own, which is not listed. */
function replace(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, configurable: true });
}

function within<T>(watches: readonly CallWatch[], operation: () => T): T {
  const all = watches.reduceRight((inner, watch) => (watch.run ? () => watch.run!(inner) : inner), operation);
  return all();
}

function end(watches: readonly CallWatch[], error?: unknown): void {
  for (const watch of watches) {
    try {
      watch.onEnd?.(error);
    } catch (bug) {
      console.error("redress: a watcher failed:", bug);
    }
  }
}

/** The hooks of a policy and of those who watch one of its calls, as one. */
function composed(hooks: CallOptions | undefined, watches: readonly Hooks[]): CallOptions {
  const all: CallOptions = { ...hooks };
  for (const name of COMPOSED) {
    const called = [...(hooks === undefined ? [] : [hooks]), ...watches].filter((one) => one[name]);
    if (called.length > 0) all[name] = ((about: never) => each(called, (one) => one[name]!(about))) as never;
  }
  return all;
}

/** Calls all of them, whatever one of them throws; throws that then, or rejects with it if one of them returned a promise. */
function each(hooks: readonly Hooks[], call: (one: Hooks) => unknown): unknown {
  const errors: unknown[] = [];
  const pending: PromiseLike<unknown>[] = [];
  for (const one of hooks) {
    try {
      const returned = call(one);
      if (isThenable(returned)) pending.push(returned);
    } catch (error) {
      errors.push(error);
    }
  }
  if (pending.length === 0) return failed(errors);
  return Promise.allSettled(pending).then((results) => {
    failed([...errors, ...results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []))]);
  });
}

function failed(errors: readonly unknown[]): void {
  if (errors.length > 1) throw new AggregateError(errors, "several hooks failed");
  if (errors.length === 1) throw errors[0];
}

let dropped: FinalizationRegistry<readonly CallWatch[]> | undefined;

/** The same for a call that no promise tells the end of: an event does, or it is collected. */
function endedByEvents(hooks: CallOptions | undefined, watches: readonly CallWatch[]): CallOptions {
  const onEvent: Hooks["onEvent"] = (event) => {
    // A breaker that changes its state by the end of the call makes its event after that.
    if (endsCall(event)) queueMicrotask(() => end(watches));
  };
  const run = (operation: () => unknown) => within(watches, operation);
  const all = Object.assign(composed(hooks, [...watches, { onEvent }]), { [AROUND]: run });
  if (typeof FinalizationRegistry === "function") {
    dropped ??= new FinalizationRegistry((forgotten) => end(forgotten));
    dropped.register(all, watches);
  }
  return all;
}
