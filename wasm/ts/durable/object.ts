// The Durable Object: the state of one upstream's breaker and budget, for all isolates.

import { number, WHOLE } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { CircuitBreaker, type CircuitBreakerOptions } from "../policy/breaker.js";
import { Budget } from "../policy/budget.js";
import { windowOf } from "../policy/windows.js";
import type { Admission, CallResult, CircuitState } from "../types.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";
import type { Question } from "./remote.js";
import { restore, type Snapshot, snapshot } from "./snapshot.js";

/** What is needed of a Durable Object's storage. */
interface Storage {
  /** What is stored under a key; undefined if there is nothing. */
  get(key: string): Promise<unknown>;
  /** Stores a value under a key. */
  put(key: string, value: unknown): Promise<unknown>;
}

/** How many answers are remembered, so that a request that is repeated is answered alike. */
const REMEMBERED = 1000;

/** How many permits are out at once; those of isolates that are gone come back by no other way. */
const OUT = 10_000;

/** The Durable Object: export it from the worker and bind its namespace. */
export class RedressState {
  /** By this the types of Workers know a Durable Object, as `wrangler types` has it in `Env`; there is no such property. */
  declare readonly __DURABLE_OBJECT_BRAND: never;
  readonly #storage: Storage;
  #breaker: CircuitBreaker | undefined;
  #budget: Budget | undefined;
  readonly #answers = new Map<string, unknown>();
  readonly #permits = new Map<string, number>();
  /** What storage holds, to write to it only what has changed. */
  readonly #saved = new Map<string, string>();
  #queue: Promise<unknown> = Promise.resolve();
  /** The latest time by `now`, and how far that has stepped back so far. */
  #latest = -Infinity;
  #steppedBack = 0;

  /** Made by the runtime. */
  constructor(context: {
    /** Where the object keeps its state. */
    storage: Storage;
  }) {
    this.#storage = context.storage;
  }

  /** The time by which it decides, in milliseconds since 1970; a subclass may have another. */
  now(): number {
    return Date.now();
  }

  /** The same without its steps back: time goes on from where it was, so that leases and recoveries take as long as they are. */
  readonly #clock = (): number => {
    const now = this.now();
    this.#steppedBack += Math.max(0, this.#latest - now);
    this.#latest = now;
    return now + this.#steppedBack;
  };

  /** Answers the handles of other isolates, one after the other; 400 to what no handle asks. */
  async fetch(request: any): Promise<any> {
    try {
      const asked = checkedQuestion(await request.json());
      const answered = this.#queue.then(() => this.#answer(asked));
      this.#queue = answered.catch(() => {});
      return Response.json(await answered);
    } catch (error) {
      const isAsked = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
      if (!isAsked) throw error;
      return Response.json({ error: error.message }, { status: 400 });
    }
  }

  async #answer(asked: Question): Promise<unknown> {
    const key = `${asked.ask} ${asked.id}`;
    if (this.#answers.has(key)) return this.#answers.get(key);
    const answer = asked.ask === "consume" ? await this.#consume(asked) : await this.#gate(asked);
    this.#answers.set(key, answer);
    if (this.#answers.size > REMEMBERED) this.#answers.delete(this.#answers.keys().next().value!);
    return answer;
  }

  async #consume({ settings, cost, calls }: Question & { ask: "consume" }): Promise<unknown> {
    this.#budget ??= await this.#loaded("budget", new Budget({ ...settings, clock: this.#clock }));
    for (let n = 0; n < calls; n += 1) this.#budget.deposit();
    const granted = this.#budget.consume(cost);
    await this.#save("budget", this.#budget);
    return { granted };
  }

  async #gate(asked: Question & { ask: "admit" | "settle" }): Promise<unknown> {
    const made = () => new CircuitBreaker({ ...settingsOf(asked), clock: this.#clock });
    this.#breaker ??= await this.#loaded("breaker", made());
    const answer = this.#decide(this.#breaker, asked);
    if (answer.ok !== false) await this.#save("breaker", this.#breaker);
    return answer;
  }

  #decide(
    breaker: CircuitBreaker,
    asked: Question & { ask: "admit" | "settle" },
  ): Partial<Admission> & { state?: CircuitState | null } {
    if (asked.ask === "settle") {
      // A permit from before the object was moved is unknown; its lease ends by itself.
      const permit = this.#permits.get(asked.id);
      this.#permits.delete(asked.id);
      return { state: permit === undefined ? null : breaker.settle(permit, asked.result) };
    }
    const admission = breaker.admit();
    if (!admission.ok) return admission;
    this.#permits.set(asked.id, admission.permit);
    if (this.#permits.size > OUT) {
      const [id, permit] = this.#permits.entries().next().value!;
      this.#permits.delete(id);
      breaker.settle(permit, "cancelled");
    }
    return admission;
  }

  async #save(key: string, state: CircuitBreaker | Budget): Promise<void> {
    const taken = snapshot(state);
    if (this.#saved.get(key) === taken.data) return;
    await this.#storage.put(`redress ${key}`, { at: this.now(), snapshot: taken });
    this.#saved.set(key, taken.data);
  }

  async #loaded<S extends CircuitBreaker | Budget>(key: string, state: S): Promise<S> {
    const stored = (await this.#storage.get(`redress ${key}`)) as { at: number; snapshot: Snapshot } | undefined;
    if (stored === undefined) return state;
    try {
      restore(state, stored.snapshot, { offMs: Math.max(0, this.now() - stored.at) });
    } catch {
      // It was taken under other settings: a new deployment begins anew.
    }
    return state;
  }
}

/** The settings of a breaker, whose window came as JSON has it. */
function settingsOf({ settings }: Question & { ask: "admit" | "settle" }): CircuitBreakerOptions {
  return { ...settings, window: windowOf(settings.window) as CircuitBreakerOptions["window"] };
}

/** How a call can end for its breaker. */
const RESULTS: readonly CallResult[] = ["success", "cancelled", ...ERROR_CLASSES];

/** The most calls that count of those told with one question. */
export const MOST_CALLS = 100_000;

function checkedQuestion(asked: Question): Question {
  const { ask, id } = asked ?? {};
  if (ask !== "admit" && ask !== "settle" && ask !== "consume") refuse("ask", ask, '"admit", "settle" or "consume"');
  if (typeof id !== "string") refuse("id", id, "a string");
  // Before the permit is looked for, which would be spent on it.
  if (asked.ask === "settle" && !RESULTS.includes(asked.result)) refuse("result", asked.result, RESULTS.join(", "));
  if (asked.ask === "consume") number("calls", asked.calls, [undefined, WHOLE, 0, MOST_CALLS]);
  return asked;
}
