// A breaker and a budget that isolates share, in a Durable Object; and deferral to a queue.

import { CircuitBreaker, type CircuitBreakerOptions } from "./breaker.js";
import { Budget } from "./budget.js";
import { callable, number, options, wrongType } from "./options.js";
import { type Snapshot, restore, snapshot } from "./snapshot.js";
import type { Admission, CallResult, Circuit, CircuitState, Pool } from "./types.js";
import { windowOf } from "./windows.js";

/** What is needed of a Durable Object's storage. */
interface Storage {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<unknown>;
}

/** What is needed of a namespace of Durable Objects. */
export interface Namespace {
  idFromName(name: string): any;
  get(id: any): { fetch(url: string, init: any): Promise<any> };
}

type Asked =
  | { ask: "admit"; settings: CircuitBreakerOptions; id: string }
  | { ask: "settle"; settings: CircuitBreakerOptions; id: string; result: CallResult }
  | { ask: "consume"; settings: { maxRetries: number; windowMs: number }; cost: number; id: string };

const clock = () => Date.now();

/** A breaker of settings that came as JSON. */
function breakerOf(settings: CircuitBreakerOptions): CircuitBreaker {
  return new CircuitBreaker({ ...settings, window: windowOf(settings.window) as CircuitBreakerOptions["window"], clock });
}

/** How many answers are remembered, so that a request that is repeated is answered alike. */
const REMEMBERED = 1000;

/** The Durable Object: export it from the worker and bind its namespace. */
export class RedressState {
  readonly #storage: Storage;
  #breaker: CircuitBreaker | undefined;
  #budget: Budget | undefined;
  readonly #answers = new Map<string, unknown>();
  readonly #permits = new Map<string, number>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(context: { storage: Storage }) {
    this.#storage = context.storage;
  }

  /** Answers the handles of other isolates, one after the other. */
  async fetch(request: any): Promise<any> {
    const asked = (await request.json()) as Asked;
    const answered = this.#queue.then(() => this.#answer(asked));
    this.#queue = answered.catch(() => {});
    return Response.json(await answered);
  }

  async #answer(asked: Asked): Promise<unknown> {
    const key = `${asked.ask} ${asked.id}`;
    if (this.#answers.has(key)) return this.#answers.get(key);
    const answer = asked.ask === "consume" ? await this.#consume(asked) : await this.#gate(asked);
    this.#answers.set(key, answer);
    if (this.#answers.size > REMEMBERED) this.#answers.delete(this.#answers.keys().next().value!);
    return answer;
  }

  async #consume({ settings, cost }: Asked & { ask: "consume" }): Promise<unknown> {
    this.#budget ??= await this.#loaded("budget", new Budget({ ...settings, clock }));
    const granted = this.#budget.consume(cost);
    await this.#save("budget", this.#budget);
    return { granted };
  }

  async #gate(asked: Asked & { ask: "admit" | "settle" }): Promise<unknown> {
    this.#breaker ??= await this.#loaded("breaker", breakerOf(asked.settings));
    const answer = this.#decide(this.#breaker, asked);
    await this.#save("breaker", this.#breaker);
    return answer;
  }

  #decide(breaker: CircuitBreaker, asked: Asked & { ask: "admit" | "settle" }): unknown {
    if (asked.ask === "settle") {
      // A permit from before the object was moved is unknown; its lease ends by itself.
      const permit = this.#permits.get(asked.id);
      this.#permits.delete(asked.id);
      return { state: permit === undefined ? null : breaker.settle(permit, asked.result) };
    }
    const admission = breaker.admit();
    if (admission.ok) this.#permits.set(asked.id, admission.permit);
    return admission;
  }

  async #save(key: string, state: CircuitBreaker | Budget): Promise<void> {
    await this.#storage.put(`redress ${key}`, { at: Date.now(), snapshot: snapshot(state) });
  }

  async #loaded<S extends CircuitBreaker | Budget>(key: string, state: S): Promise<S> {
    const stored = (await this.#storage.get(`redress ${key}`)) as { at: number; snapshot: Snapshot } | undefined;
    if (stored === undefined) return state;
    try {
      restore(state, stored.snapshot, { offMs: Math.max(0, Date.now() - stored.at) });
    } catch {
      // It was taken under other settings: a new deployment begins anew.
    }
    return state;
  }
}

/** What a handle needs besides the settings of what it is a handle of. */
export interface DurableOptions {
  /** Which object of the namespace: one for each upstream. */
  name: string;
  /** An object that cannot be reached: decide by state of this isolate (the default), or reject. */
  whenUnreachable?: "local" | "reject" | undefined;
  onUnreachable?: ((error: unknown) => unknown) | undefined;
}

const KEYS = ["name", "whenUnreachable", "onUnreachable"];

/** Asks one Durable Object. */
class Remote {
  readonly #namespace: Namespace;
  readonly #name: string;
  readonly #onUnreachable: ((error: unknown) => unknown) | undefined;
  readonly rejects: boolean;
  latencyMs = 0;

  constructor(path: string, namespace: Namespace, given: Record<string, any>) {
    if (typeof namespace?.idFromName !== "function") throw wrongType(path, namespace, "a namespace of Durable Objects");
    if (typeof given["name"] !== "string") throw wrongType(`${path}.name`, given["name"], "a string");
    const when = given["whenUnreachable"] ?? "local";
    if (when !== "local" && when !== "reject") throw wrongType(`${path}.whenUnreachable`, when, '"local" or "reject"');
    this.rejects = when === "reject";
    this.#onUnreachable = callable(`${path}.onUnreachable`, given["onUnreachable"]);
    this.#namespace = namespace;
    this.#name = given["name"];
  }

  /** The object's answer; undefined if it cannot be reached. */
  async ask(asked: Asked): Promise<any> {
    const started = Date.now();
    try {
      const object = this.#namespace.get(this.#namespace.idFromName(this.#name));
      const response = await object.fetch("https://redress/", { method: "POST", body: JSON.stringify(asked) });
      return await response.json();
    } catch (error) {
      try {
        this.#onUnreachable?.(error);
      } catch {
        // What a hook throws changes nothing.
      }
      return undefined;
    } finally {
      this.latencyMs = Date.now() - started;
    }
  }
}

/** A permit of the object (its id), or of this isolate's own breaker. */
type Permit = string | number;

/** A breaker whose state is in a Durable Object. */
export class DurableCircuitBreaker implements Circuit<Permit> {
  readonly #remote: Remote;
  readonly #settings: CircuitBreakerOptions;
  readonly #local: CircuitBreaker;

  constructor(namespace: Namespace, settings: DurableOptions & Omit<CircuitBreakerOptions, "clock">) {
    const { name, whenUnreachable, onUnreachable, ...own } = settings;
    this.#remote = new Remote("durableCircuitBreaker", namespace, { name, whenUnreachable, onUnreachable });
    this.#settings = own;
    this.#local = new CircuitBreaker(own);
  }

  /** How long the object took to answer last time. */
  get latencyMs(): number {
    return this.#remote.latencyMs;
  }

  async admit(): Promise<Admission<Permit>> {
    const id = crypto.randomUUID();
    const answer = (await this.#remote.ask({ ask: "admit", settings: this.#settings, id })) as Admission | undefined;
    if (answer === undefined) {
      return this.#remote.rejects ? { ok: false, state: "open", retryAfterMs: 0 } : this.#local.admit();
    }
    return answer.ok ? { ...answer, permit: id } : answer;
  }

  async settle(permit: Permit, result: CallResult): Promise<CircuitState | null> {
    if (typeof permit === "number") return this.#local.settle(permit, result);
    const answer = await this.#remote.ask({ ask: "settle", settings: this.#settings, id: permit, result });
    return answer?.state ?? null;
  }
}

/** A budget whose state is in a Durable Object. */
export class DurableBudget implements Pool {
  readonly #remote: Remote;
  readonly #settings: { maxRetries: number; windowMs: number };
  readonly #local: Budget;

  constructor(namespace: Namespace, settings: DurableOptions & { maxRetries: number; windowMs?: number }) {
    const given = options("durableBudget", settings, [...KEYS, "maxRetries", "windowMs"]);
    this.#remote = new Remote("durableBudget", namespace, given);
    this.#settings = { maxRetries: settings.maxRetries, windowMs: settings.windowMs ?? 60_000 };
    this.#local = new Budget(this.#settings);
  }

  /** How long the object took to answer last time. */
  get latencyMs(): number {
    return this.#remote.latencyMs;
  }

  async consume(cost = 1): Promise<boolean> {
    const id = crypto.randomUUID();
    const answer = await this.#remote.ask({ ask: "consume", settings: this.#settings, cost, id });
    if (answer !== undefined) return answer.granted === true;
    return this.#remote.rejects ? false : this.#local.consume(cost);
  }
}

/** The longest that a queue delays a message: twelve hours. */
const LONGEST_DELAY_S = 43_200;

/**
 * Gives a queue's message back for later if its call was deferred; whether it was. The delay is
 * rounded up to whole seconds, at most twelve hours.
 */
export function deferMessage(
  message: { retry(options: { delaySeconds: number }): unknown },
  outcome: { readonly stopReason: unknown; readonly nextSleepMs: number | null },
): boolean {
  if (outcome.stopReason !== "SCHEDULED") return false;
  const ms = number("deferMessage.nextSleepMs", outcome.nextSleepMs, {});
  message.retry({ delaySeconds: Math.min(LONGEST_DELAY_S, Math.ceil(ms / 1000)) });
  return true;
}
