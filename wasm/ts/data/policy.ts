// Policies of settings that are read at run time, and replaced while calls run.

import type { Setting } from "../call/codes.js";
import { CALL_KEYS } from "../call/hooks.js";
import { isOptions, object } from "../config/checks.js";
import { collect, refuse } from "../config/issues.js";
import { isWhole, policyOptions } from "../config/json.js";
import { CircuitBreaker } from "../policy/breaker.js";
import { Keyed, KeyedPolicy } from "../policy/keyed.js";
import { Guarded, Policy, type PolicyHooks, type PolicyOptions } from "../policy/policy.js";
import { RETRY_KEYS, type Rules } from "../policy/retry-options.js";
import { Reading } from "./reading.js";
import { inFile, SettingsError } from "./settings-error.js";

/** What a policy of data is given in code: what JSON cannot hold. */
export interface DataOptions
  extends PolicyHooks,
    Pick<PolicyOptions, "classifier" | "resultClassifier" | "abortErrors" | "clock" | "random" | "unref"> {
  /** The classifiers that settings may name: `{ http: classify.http }`, or `classify` for all there are. None by default. */
  classifiers?: { readonly [name: string]: unknown } | undefined;
}

/** Settings that `prepare` has checked. */
export interface Prepared {
  /** Replaces the settings of the policy; it cannot fail, unless the policy was disposed of. */
  apply(): void;
}

/** A policy whose settings can be replaced. */
export interface DataPolicy extends Policy {
  /**
   * Replaces all settings. What they leave out has its default afterwards. Calls that have begun keep the settings that
   * they began with. A breaker or a budget whose settings have not changed keeps its state; one whose settings have changed
   * starts anew. Throws a `SettingsError` of everything that is wrong; then nothing changes.
   */
  update(json: unknown): void;
  /** Checks settings as `update` does, and changes nothing before `apply`: so several policies are updated all or none. */
  prepare(json: unknown): Prepared;
}

/** A policy by key whose settings can be replaced: each key has a breaker, and with `budgetByKey` a budget of its own. */
export interface KeyedDataPolicy extends KeyedPolicy, Pick<DataPolicy, "update" | "prepare"> {}

/**
 * A policy of settings as `JSON.parse` gives them, in the form that `redress doctor` reads, and redress for Rust. All its
 * calls share one breaker and one budget. Throws a `SettingsError` of everything that is wrong.
 */
export function policyFrom(json: unknown, options: DataOptions = {}): DataPolicy {
  return new OfAll(checked(json, options, false));
}

/**
 * As `policyFrom`, with a breaker for each key: `policy.at(host).call(..)`. With `budgetByKey` each key has a budget, too;
 * there are at most `capacity` keys.
 */
export function keyedPolicyFrom(json: unknown, options: DataOptions = {}): KeyedDataPolicy {
  return new OfKeys(checked(json, options, true));
}

/** Settings that have been checked, and what was made of them. */
interface Checked {
  readonly policy: Policy | KeyedPolicy;
  readonly reading: Reading;
  readonly code: DataOptions;
}

function checked(json: unknown, code: DataOptions, isKeyed: boolean, before?: Reading): Checked {
  const { classifiers = {}, ...options } = code;
  // What is wrong with these is an error of the program, as everywhere.
  if (before === undefined) new Policy(options).dispose();
  object("policy.classifiers", classifiers);
  const reading = new Reading(isKeyed, code.clock, classifiers, before);
  const given = isOptions(json) ? json : {};
  const { value: policy, issues } = collect(() => {
    if (!isOptions(json)) return refuse("policy", json, "an object of options, as JSON.parse gives it", new Policy());
    const read = policyOptions(json, reading);
    const settings = { ...options, ...(isWhole(json) ? read : whole(read)) };
    const { circuitBreaker, budget, retry } = settings as Record<string, any>;
    const hasKeys = [circuitBreaker, budget, retry?.budget].some((one) => one instanceof Keyed);
    return hasKeys ? new KeyedPolicy(settings) : new Policy(settings as PolicyOptions);
  });
  if (issues.length > 0) {
    const hasOwnBudget = isWhole(given) ? isOptions(given["retry"]) && "budget" in given["retry"] : true;
    throw new SettingsError(issues.map((issue) => inFile(issue, isWhole(given), hasOwnBudget)));
  }
  reading.end();
  return { policy, reading, code };
}

/** The options of a `RetryPolicy` as those of a `Policy`. */
function whole(settings: Record<string, unknown>): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  const retry: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(settings)) {
    const isOfCalls = CALL_KEYS.includes(name) && !RETRY_KEYS.includes(name);
    Object.defineProperty(isOfCalls ? all : retry, name, { value, enumerable: true });
  }
  return { ...all, retry };
}

/** The settings that calls begin with, and those before that calls may still run with. */
class Current {
  #now: Checked;
  readonly #before = new Set<WeakRef<Rules>>();

  constructor(first: Checked) {
    this.#now = first;
  }

  get policy(): Policy | KeyedPolicy {
    return this.#now.policy;
  }

  /** What calls of all use, or those of each key begin with. */
  get setting(): Setting {
    return settingOf(this.policy);
  }

  prepare(json: unknown, isKeyed: boolean, applied: () => void): Prepared {
    // Refuses a policy that was disposed of.
    void this.setting;
    const { reading, code } = this.#now;
    const next = checked(json, code, isKeyed, reading);
    return {
      apply: () => {
        const before = this.setting;
        this.#now = next;
        watchedAs(before, this.setting);
        for (const one of this.#before) if (one.deref() === undefined) this.#before.delete(one);
        if (before.rules !== this.setting.rules) this.#before.add(new WeakRef(before.rules));
        applied();
      },
    };
  }

  async drain(): Promise<void> {
    const all = [this.setting.rules, ...[...this.#before].map((one) => one.deref())];
    await Promise.all(all.map((rules) => rules?.drain()));
  }

  dispose(): void {
    this.policy.dispose();
  }
}

function settingOf(policy: Policy | KeyedPolicy): Setting {
  return policy instanceof KeyedPolicy ? policy.template.setting : policy.setting;
}

/** Hooks are said in code, and stay: so does what watches them. */
function watchedAs(before: Setting, now: Setting): void {
  Object.defineProperty(now, "hooks", Object.getOwnPropertyDescriptor(before, "hooks")!);
  (now as { observed: boolean }).observed = before.observed;
}

/** What is `readonly` for all others. */
type Own<T> = { -readonly [K in keyof T]: T[K] };

class OfAll extends Policy implements DataPolicy {
  readonly #current: Current;

  constructor(first: Checked) {
    super();
    this.#current = new Current(first);
    this.#show();
  }

  override get setting(): Setting {
    return this.#current.setting;
  }

  update(json: unknown): void {
    this.prepare(json).apply();
  }

  prepare(json: unknown): Prepared {
    return this.#current.prepare(json, false, () => this.#show());
  }

  override drain(): Promise<void> {
    return this.#current.drain();
  }

  override dispose(): void {
    this.#current.dispose();
  }

  #show(): void {
    const { retry, circuitBreaker } = this.#current.policy as Policy;
    Object.assign(this as Own<Policy>, { retry, circuitBreaker });
  }
}

class OfKeys extends KeyedPolicy implements KeyedDataPolicy {
  readonly #current: Current;

  constructor(first: Checked) {
    // What it is itself is never asked.
    super({ circuitBreaker: new Keyed(CircuitBreaker, { capacity: 1 }) });
    this.#current = new Current(first);
    this.#show();
  }

  override at(key: string): Guarded {
    if (typeof key !== "string") refuse("policy.at", key, "a string");
    return new AtKey(this.#current, key);
  }

  update(json: unknown): void {
    this.prepare(json).apply();
  }

  prepare(json: unknown): Prepared {
    return this.#current.prepare(json, true, () => this.#show());
  }

  override drain(): Promise<void> {
    return this.#current.drain();
  }

  override dispose(): void {
    this.#current.dispose();
  }

  #show(): void {
    const { policy } = this.#current;
    (this as Own<KeyedPolicy>).template = policy instanceof KeyedPolicy ? policy.template : (policy as Policy);
  }
}

/** The policy of one key, whose settings are looked up when a call begins. */
class AtKey extends Guarded {
  readonly #current: Current;
  readonly #key: string;

  constructor(current: Current, key: string) {
    super();
    this.#current = current;
    this.#key = key;
  }

  override get setting(): Setting {
    const { policy } = this.#current;
    if (policy instanceof KeyedPolicy) return policy.at(this.#key).setting;
    // Neither a breaker nor a budget by key: all keys have the same.
    const { hooks, ...setting } = policy.setting;
    return { ...setting, hooks: { operation: this.#key, ...hooks } };
  }
}
