// Asking a Durable Object: by name, within a time, with what it cost.

import { NULLABLE, number, object, optionValue } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type { CircuitBreakerOptions } from "../policy/breaker.js";
import type { RatioBudgetOptions, RollingBudgetOptions } from "../policy/budget.js";
import type { CallResult } from "../types.js";

/** What is needed of a namespace of Durable Objects. */
export interface Namespace {
  /** The id of the object of a name. */
  idFromName(name: string): any;
  /** A stub of the object with an id. */
  get(id: any): {
    /** Asks the object. */
    fetch(url: string, init: any): Promise<any>;
  };
}

/** What an object is asked. The same `id` again gets the same answer. */
export type Question =
  | { ask: "admit"; settings: CircuitBreakerOptions; id: string }
  | { ask: "settle"; settings: CircuitBreakerOptions; id: string; result: CallResult }
  | { ask: "consume"; settings: RollingBudgetOptions | RatioBudgetOptions; id: string; cost: number; calls: number };

/** What a handle needs besides the settings of what it is a handle of. */
export interface DurableOptions {
  /** Which object of the namespace: one for each upstream. */
  name: string;
  /** An object that cannot be reached: decide by state of this isolate (the default), or reject. */
  whenUnreachable?: "local" | "reject" | undefined;
  /** After this it is as if it could not be reached, in milliseconds, 1 and up; 1,000 by default, null for no limit. */
  timeoutMs?: number | null | undefined;
  /** Hears why an object could not be reached; its own errors change nothing. */
  onUnreachable?: ((error: unknown) => unknown) | undefined;
}

/** What asking the object added to calls so far, in milliseconds of this isolate's clock; 0 before the first answer. */
export interface Latency {
  /** How many questions were answered. */
  readonly count: number;
  /** The latest answer. */
  readonly lastMs: number;
  /** The fastest answer. */
  readonly minMs: number;
  /** The slowest answer. */
  readonly maxMs: number;
  /** The mean of all answers. */
  readonly meanMs: number;
  /** How many were not: errors, and answers that took too long. */
  readonly unreachable: number;
}

/** The options of asking, and those of what is asked about. */
export function parted<S extends object>(path: string, given: S): [DurableOptions, Omit<S, keyof DurableOptions>] {
  const { name, whenUnreachable, timeoutMs, onUnreachable, ...own } = object(path, given) as S & DurableOptions;
  if ("clock" in own) refuse(`${path}.clock`, own.clock, "an option here: it is the object's time that counts");
  return [{ name, whenUnreachable, timeoutMs, onUnreachable }, own];
}

/** Asks one Durable Object. */
export class Remote {
  readonly #namespace: Namespace;
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #onUnreachable: ((error: unknown) => unknown) | undefined;
  /** Whether an object that cannot be reached means a rejection. */
  readonly rejects: boolean;
  #latency: Latency = { count: 0, lastMs: 0, minMs: 0, maxMs: 0, meanMs: 0, unreachable: 0 };

  constructor(path: string, namespace: Namespace, given: DurableOptions) {
    if (typeof namespace?.idFromName !== "function") refuse(path, namespace, "a namespace of Durable Objects");
    if (typeof given.name !== "string") refuse(`${path}.name`, given.name, "a string");
    const when: unknown = given.whenUnreachable ?? "local";
    if (when !== "local" && when !== "reject") refuse(`${path}.whenUnreachable`, when, '"local" or "reject"');
    this.rejects = when === "reject";
    this.#timeoutMs = number(`${path}.timeoutMs`, given.timeoutMs, [1_000, NULLABLE, 1, 2 ** 31 - 1]);
    this.#onUnreachable = optionValue(`${path}.onUnreachable`, given.onUnreachable, "function");
    this.#namespace = namespace;
    this.#name = given.name;
  }

  get latency(): Latency {
    return this.#latency;
  }

  /** The object's answer; undefined if it cannot be reached in time. */
  async ask(asked: Question): Promise<any> {
    const started = performance.now();
    try {
      const answer = await this.#inTime((signal) => this.#answer(asked, signal));
      this.#answered(performance.now() - started);
      return answer;
    } catch (error) {
      this.#latency = { ...this.#latency, unreachable: this.#latency.unreachable + 1 };
      try {
        this.#onUnreachable?.(error);
      } catch {
        // What a hook throws changes nothing.
      }
      return undefined;
    }
  }

  async #answer(asked: Question, signal: AbortSignal | undefined): Promise<unknown> {
    const object = this.#namespace.get(this.#namespace.idFromName(this.#name));
    const init = { method: "POST", body: JSON.stringify(asked), ...(signal && { signal }) };
    const response = await object.fetch("https://redress/", init);
    if (response.ok === false)
      throw new Error(`${this.#name}: the object answered ${response.status}: ${await response.text()}`);
    return await response.json();
  }

  async #inTime<A>(asking: (signal: AbortSignal | undefined) => Promise<A>): Promise<A> {
    const ms = this.#timeoutMs;
    if (Number.isNaN(ms)) return asking(undefined);
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new DOMException(`${this.#name}: the object did not answer within ${ms} ms`, "TimeoutError");
        reject(error);
        controller.abort(error);
      }, ms);
    });
    try {
      return await Promise.race([asking(controller.signal), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #answered(ms: number): void {
    const { count, minMs, maxMs, meanMs, unreachable } = this.#latency;
    this.#latency = {
      count: count + 1,
      lastMs: ms,
      minMs: count === 0 ? ms : Math.min(minMs, ms),
      maxMs: Math.max(maxMs, ms),
      meanMs: meanMs + (ms - meanMs) / (count + 1),
      unreachable,
    };
  }
}
