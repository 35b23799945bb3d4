// What settings become, and what is kept of the reading before.

import type { Backoff } from "../backoff/strategy.js";
import { first } from "../classify/first.js";
import { isOptions } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type { Making } from "../config/json.js";
import { CircuitBreaker } from "../policy/breaker.js";
import { Budget } from "../policy/budget.js";
import { Keyed } from "../policy/keyed.js";
import type { Clock } from "../types.js";

type Settings = Record<string, any>;

/** Something with a state, and the settings that it was made of as text. */
interface Kept {
  readonly text: string;
  readonly made: unknown;
}

/** One reading of settings: what has a state is that of the reading before, if its settings have not changed. */
export class Reading implements Making {
  readonly #isKeyed: boolean;
  readonly #clock: Clock | undefined;
  readonly #classifiers: { readonly [name: string]: unknown };
  #before: ReadonlyMap<string, Kept> | undefined;
  /** By the name of a part, or the path of a strategy. */
  readonly #kept = new Map<string, Kept>();

  constructor(
    isKeyed: boolean,
    clock: Clock | undefined,
    classifiers: { readonly [name: string]: unknown },
    before: Reading | undefined,
  ) {
    this.#isKeyed = isKeyed;
    this.#clock = clock;
    this.#classifiers = classifiers;
    this.#before = before === undefined ? undefined : before.#kept;
  }

  /** It is over: what was not kept of the reading before is let go. */
  end(): void {
    this.#before = undefined;
  }

  breaker(settings: Settings, capacity: number): unknown {
    const own = { clock: this.#clock, ...settings };
    if (!this.#isKeyed) {
      const made = new CircuitBreaker(own);
      return this.#same("circuitBreaker", textOf(made), () => made);
    }
    const made = new Keyed(CircuitBreaker, { ...own, capacity });
    return this.#same("circuitBreaker", `${capacity} ${textOf(made.template)}`, () => made);
  }

  budget(settings: Settings): unknown {
    const made = new Budget({ clock: this.#clock, ...settings } as never);
    return this.#same("budget", textOf(made), () => made);
  }

  budgetByKey(settings: Settings, capacity: number): unknown {
    const own: Settings = { clock: this.#clock, ...settings };
    const made = new Keyed(Budget, { ...own, capacity } as never);
    if (!this.#isKeyed) return undefined;
    return this.#same("budgetByKey", `${capacity} ${textOf(made.template)}`, () => made);
  }

  classifier(path: string, name: string): unknown {
    // `first` makes a classifier of others, and is none itself.
    const names = Object.keys(this.#classifiers).filter((own) => this.#classifiers[own] !== first);
    names.sort();
    if (names.includes(name)) return this.#classifiers[name];
    const expected = names.length === 0 ? "known: no `classifiers` were given" : `one of ${names.join(", ")}`;
    return refuse(path, name, expected);
  }

  remembering(path: string, settings: Settings, make: () => Backoff): Backoff {
    return this.#same(path, JSON.stringify(sorted(settings)), make) as Backoff;
  }

  #same(name: string, text: string, make: () => unknown): unknown {
    const before = this.#before?.get(name);
    const kept = before?.text === text ? before : { text, made: make() };
    this.#kept.set(name, kept);
    return kept.made;
  }
}

/** The checked settings of what was never used. */
function textOf({ kind, numbers }: CircuitBreaker | Budget): string {
  return `${kind} ${numbers}`;
}

/** The same value, with the keys of objects in alphabetical order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isOptions(value)) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
