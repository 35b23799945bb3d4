// What is known of a policy at any time: the state of its breaker, and what is left of its budget.

import type { Setting } from "../call/codes.js";
import type { Runner } from "../policy/policy.js";
import type { CircuitState, PolicyEvent } from "../types.js";

/** The state of a breaker. */
export interface CircuitStatus {
  /** The key that it is of; undefined for a breaker of all calls. */
  readonly key: string | undefined;
  /** Its state, which changes by calls alone. */
  readonly state: CircuitState;
}

/** A policy as its watchers know it. */
export interface WatchedPolicy {
  /** The name that `watch` was given. */
  readonly upstream: string | undefined;
  /** The states of its breakers: of one for each key those that have changed, at most 1,000. */
  circuits(): CircuitStatus[];
  /** How many retries its `Budget` has; undefined without one, or with one for each key. */
  budgetRemaining(): number | undefined;
}

/** How many breakers by key are remembered. */
const MOST_KEYS = 1_000;

/** Watches a policy itself. */
export class Status implements WatchedPolicy {
  readonly upstream: string | undefined;
  #look: (() => Setting) | undefined;
  /** The setting that was looked up last, which is that of a policy that was disposed of. */
  #last: Setting | undefined;
  #hasOwnBudgets = false;
  #isKeyed = false;
  /** By key, or of the breaker of all, which may be of the user's own. */
  readonly #states = new Map<string | undefined, CircuitState>();

  constructor(upstream: string | undefined, setting: (() => Setting) | undefined) {
    this.upstream = upstream;
    this.#look = setting;
    this.#last = setting?.();
  }

  get #setting(): Setting | undefined {
    try {
      this.#last = this.#look?.();
    } catch {
      // It was disposed of.
    }
    return this.#last;
  }

  /** Follows the policy of a key, whose setting is looked up when a call begins: which of its parts are the key's. */
  follow(ofKey: Runner, common: () => Setting): void {
    const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(ofKey), "setting")!;
    const setting = () => {
      const found: Setting = get!.call(ofKey);
      this.#look = common;
      this.#isKeyed = found.key !== undefined;
      this.#hasOwnBudgets = found.rules !== common().rules;
      return found;
    };
    Object.defineProperty(ofKey, "setting", { get: setting, configurable: true });
  }

  /** Notes the new state of a breaker. */
  onEvent(event: PolicyEvent): void {
    if (event.state === undefined) return;
    const key = this.keyOf(event);
    this.#states.delete(key);
    this.#states.set(key, event.state);
    if (this.#states.size > MOST_KEYS) this.#states.delete(this.#states.keys().next().value);
  }

  /** The key of the breaker that an event is about. */
  keyOf({ operation }: PolicyEvent): string | undefined {
    return this.#isKeyed ? operation : undefined;
  }

  circuits(): CircuitStatus[] {
    const { breaker, circuit } = this.#setting ?? {};
    if (!this.#isKeyed && breaker !== undefined) {
      const { state } = breaker.toJSON();
      return state === "disposed" ? [] : [{ key: undefined, state }];
    }
    const known = [...this.#states].map(([key, state]) => ({ key, state }));
    return known.length === 0 && circuit !== undefined ? [{ key: undefined, state: "closed" }] : known;
  }

  budgetRemaining(): number | undefined {
    return this.#hasOwnBudgets ? undefined : this.#setting?.rules.budget?.toJSON().remaining;
  }
}

/** The policies that a watcher watches, as long as they are in use. */
export class Policies {
  #all = new Set<WeakRef<WatchedPolicy>>();

  add(policy: WatchedPolicy): void {
    this.#all.add(new WeakRef(policy));
  }

  *[Symbol.iterator](): Generator<WatchedPolicy> {
    for (const reference of this.#all) {
      const policy = reference.deref();
      if (policy === undefined) this.#all.delete(reference);
      else yield policy;
    }
  }
}
