// Breakers and budgets by key: one for each host, device or tenant, in a map of fixed capacity.

import type { Setting } from "../call/codes.js";
import { isOptions, number, object, WHOLE } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { type Disposing, disposes } from "../wasm/using.js";
import { CircuitBreaker, type CircuitBreakerOptions } from "./breaker.js";
import { Budget, ofKey, type RatioBudgetOptions, type RollingBudgetOptions } from "./budget.js";
import { COPY, HERE } from "./copies.js";
import { Guarded, Policy, type PolicyOptions, Retry } from "./policy.js";
import type { RetryOptions, Rules } from "./retry-options.js";

/** The options of what a map holds for each key. */
type SettingsOf<V> = V extends CircuitBreaker ? CircuitBreakerOptions : RollingBudgetOptions | RatioBudgetOptions;

/** The size of a map by key. */
interface Capacity {
  /** How many keys have an entry at most, 1 to 100,000. */
  capacity: number;
}

/**
 * One breaker, or one budget, for each key; `capacity` keys at most.
 *
 * A new key begins with a new entry of the same settings; a key's ratio budget begins with 1 retry and earns none
 * by time, unless they say otherwise. When the map is full, the entry that
 * was used least recently makes room; but an open or half-open breaker stays, so that no closed
 * one pushes it out. Only if all are, the least recently used of those goes that would let a call
 * through, so that a host which is never asked again does not keep its place for ever. If nothing
 * may go, the new key gets no entry: its calls run without a breaker, its retries without a
 * budget, and `refused` counts them.
 */
export class Keyed<V extends CircuitBreaker | Budget> {
  /** How many keys have an entry at most. */
  readonly capacity: number;
  /** What was never used: its settings are those of every entry. @internal */
  readonly template: V;
  readonly #make: () => V;
  /** By key, the least recently used first. */
  readonly #entries = new Map<string, V>();
  #refused = 0;

  /** A map of `CircuitBreaker` or `Budget`, or of a class that extends one, with the options of every entry. */
  constructor(kind: new (settings: any) => V, settings: SettingsOf<V> & Capacity) {
    const is = (one: unknown) => kind === one || kind?.prototype instanceof (one as typeof Budget);
    const Entry: new (settings: any) => any =
      is(CircuitBreaker) || is(Budget) ? kind : refuse("keyed", kind, "CircuitBreaker or Budget", CircuitBreaker);
    const { capacity, ...own } = object("keyed", settings);
    this.capacity = number("keyed.capacity", capacity, [undefined, WHOLE, 1, 100_000]);
    const ofEach = is(Budget) ? ofKey(own as object as RatioBudgetOptions) : own;
    this.#make = () => new Entry(ofEach);
    this.template = this.#make();
  }

  /** @internal */
  get [COPY](): object {
    return HERE;
  }

  /** How many keys have an entry. */
  get size(): number {
    return this.#entries.size;
  }

  /** How often a key found no room. */
  get refused(): number {
    return this.#refused;
  }

  /** The keys that have an entry, the least recently used first. */
  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** The entry of `key`, if it has one; this is no use of it. */
  peek(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** The entry of `key`, new if it had none; undefined if there is no room. */
  entry(key: string): V | undefined {
    if (typeof key !== "string") refuse("keyed.key", key, "a string");
    let found = this.#entries.get(key);
    if (found !== undefined) this.#entries.delete(key);
    else if (this.#entries.size < this.capacity || this.#evicted()) found = this.#make();
    if (found === undefined) this.#refused += 1;
    else this.#entries.set(key, found);
    return found;
  }

  /** Lets the idlest entry go that may go; whether there was one. */
  #evicted(): boolean {
    for (const mayGo of [isIdle, isOver]) {
      for (const [key, value] of this.#entries) if (mayGo(value)) return this.#entries.delete(key);
    }
    return false;
  }
}

function isIdle(value: CircuitBreaker | Budget): boolean {
  return !(value instanceof CircuitBreaker) || value.state === "closed";
}

/** Whether a breaker that is not closed would let a call through. */
function isOver(value: CircuitBreaker | Budget): boolean {
  return (value as CircuitBreaker).wouldAdmit;
}

/** One for all keys, or one for each. */
type Either<T, V extends CircuitBreaker | Budget> = T | Keyed<V>;

/** What a policy by key is made of: a policy's options, and breaker, budget or both may be `Keyed`. */
export interface KeyedPolicyOptions extends Omit<PolicyOptions, "retry" | "circuitBreaker" | "budget"> {
  /** What retries; its budget may be `Keyed`. */
  retry?:
    | Retry
    | (Omit<RetryOptions, "budget"> & {
        /** A budget for all keys, or one for each: `Keyed`. */
        budget?: Either<RetryOptions["budget"], Budget>;
      })
    | undefined;
  /** A breaker for all keys, or one for each: `Keyed`. */
  circuitBreaker?: Either<PolicyOptions["circuitBreaker"], CircuitBreaker>;
  /** A budget for all keys, or one for each: `Keyed`. A budget of `retry` takes its place. */
  budget?: Either<PolicyOptions["budget"], Budget>;
}

/** A policy whose breaker, budget or both are those of a key: `policy.at(host).call(..)`. */
export class KeyedPolicy {
  /** What a key's policy is before its first call, for the linter. */
  readonly template: Policy;
  readonly #breakers: Keyed<CircuitBreaker> | undefined;
  readonly #budgets: Keyed<Budget> | undefined;
  /** The rules with the budget of each key, which are kept as long as that. */
  readonly #known = new WeakMap<Budget, Rules>();

  /** A policy of checked options, of which the breaker or a budget is `Keyed`. */
  constructor(settings: KeyedPolicyOptions) {
    const given: Record<string, unknown> = { ...object("policy", settings) };
    const lend = (holder: Record<string, unknown>, name: string) => {
      const keyed = holder[name];
      if (!(keyed instanceof Keyed)) return undefined;
      holder[name] = keyed.template;
      return keyed as Keyed<any>;
    };
    this.#breakers = lend(given, "circuitBreaker");
    const shared = lend(given, "budget");
    const { retry } = given;
    const own = isOptions(retry) && !(retry instanceof Retry) ? { ...retry } : undefined;
    if (own !== undefined) given["retry"] = own;
    // As everywhere, what the retry says itself comes before what its policy lends it.
    const says = (own ?? (retry as Retry | undefined)?.config ?? {}) as Record<string, unknown>;
    this.#budgets = says["budget"] === undefined ? shared : lend(says, "budget");
    this.template = new Policy(given);
    if (this.#breakers === undefined && this.#budgets === undefined) {
      refuse("policy.circuitBreaker", given["circuitBreaker"], "Keyed, and no budget is: use a Policy");
    }
  }

  /** @internal */
  get [COPY](): object {
    return HERE;
  }

  /** The policy of one key. Its entries are looked up, and used, when a call begins; events bear the key as their operation if they are given none. */
  at(key: string): Guarded {
    if (typeof key !== "string") refuse("policy.at", key, "a string");
    return new ByKey(() => {
      const { rules, hooks, ...setting } = this.template.setting;
      return {
        ...setting,
        ...(this.#breakers && { breaker: this.#breakers.entry(key), key }),
        rules: this.#budgets === undefined ? rules : this.#lent(rules, this.#budgets.entry(key)),
        hooks: { operation: key, ...hooks },
      };
    });
  }

  /** Ends all delays, of every key, as `Policy.drain` does; resolves once no call is under way. */
  drain(): Promise<void> {
    return this.template.drain();
  }

  /** Refuses every call from now on, as `Policy.dispose` does. */
  dispose(): void {
    this.template.dispose();
  }

  #lent(rules: Rules, budget: Budget | undefined): Rules {
    let found = budget && this.#known.get(budget);
    if (found === undefined) {
      found = new Lent(rules, budget) as Rules & Lent;
      if (budget !== undefined) this.#known.set(budget, found);
    }
    return found;
  }
}

disposes(KeyedPolicy);

/** `using` disposes of it. */
export interface KeyedPolicy extends Disposing {}

class ByKey extends Guarded {
  readonly #setting: () => Setting;

  constructor(setting: () => Setting) {
    super();
    this.#setting = setting;
  }

  override get setting(): Setting {
    return this.#setting();
  }
}

/** Rules with another budget; all else, also where the core has them, stays. */
class Lent {
  readonly budget: Budget | undefined;
  readonly #rules: Rules;

  constructor(rules: Rules, budget: Budget | undefined) {
    Object.assign(this, rules);
    this.#rules = rules;
    this.budget = budget;
  }

  get slot(): number {
    return this.#rules.slot;
  }

  get limit(): number {
    return this.#rules.limit;
  }

  get single(): Rules {
    return this.#rules.single;
  }

  runs(by: 1 | -1): void {
    this.#rules.runs(by);
  }

  drain(): Promise<void> {
    return this.#rules.drain();
  }

  own(errorClass: number): ReturnType<Rules["own"]> {
    return this.#rules.own(errorClass);
  }
}
