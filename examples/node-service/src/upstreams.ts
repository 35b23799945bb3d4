// What the service calls: a catalog in PostgreSQL, the stock in Redis, and prices over HTTP. Each has a policy of its own, and all
// share one budget of retries.

import pg from "pg";
import { ClientOfflineError, createClient } from "redis";
import {
  type Attempt,
  Budget,
  backoff,
  CircuitBreaker,
  type Classifier,
  classify,
  Policy,
  redressFetch,
} from "redress";
import { type Watcher, watch } from "redress/watch";

/** Where they are. */
export interface Addresses {
  readonly database: string;
  readonly redis: string;
  readonly prices: string;
}

/** What is known of a product. */
export interface Product {
  readonly id: number;
  readonly name: string;
  readonly stock: number;
  readonly price: number;
}

/** A command of node-redis while it has no connection. */
const offline = (error: unknown) => (error instanceof ClientOfflineError ? "TRANSIENT" : "UNKNOWN");

/** The upstreams, by what they answer. */
export class Upstreams {
  /** Whatever fails, retries are at most a tenth of the calls, over all upstreams together. */
  readonly budget = new Budget({ ratio: 0.1 });
  readonly policies: { readonly catalog: Policy; readonly stock: Policy; readonly prices: Policy };
  readonly #pool: pg.Pool;
  readonly #redis: ReturnType<typeof createClient>;
  readonly #addresses: Addresses;
  readonly #fetch: typeof fetch;

  constructor(addresses: Addresses, watchers: readonly Watcher[]) {
    const policy = (upstream: string, classifier: Classifier) => {
      const made = new Policy({
        // A breaker belongs to one upstream: one may be down while the others are well.
        circuitBreaker: new CircuitBreaker({ failureThreshold: 5, windowMs: 10_000, recoveryTimeoutMs: 1_000 }),
        retry: {
          classifier,
          budget: this.budget,
          strategy: backoff.decorrelatedJitter({ baseMs: 20, maxMs: 500 }),
          maxAttempts: 4,
          deadlineMs: 2_000,
          attemptTimeoutMs: 500,
        },
      });
      return watch(made, watchers, { upstream });
    };
    this.#addresses = addresses;
    this.policies = {
      catalog: policy("catalog", classify.sqlstate),
      stock: policy("stock", classify.first(classify.redis, offline)),
      prices: policy("prices", classify.http),
    };
    this.#pool = new pg.Pool({ connectionString: addresses.database, max: 20, query_timeout: 500 });
    // A connection that breaks while it is idle; the next query gets another one.
    this.#pool.on("error", () => {});
    this.#redis = createClient({
      url: addresses.redis,
      // Commands fail at once while there is no connection: to wait is the policy's.
      disableOfflineQueue: true,
      socket: { reconnectStrategy: 50 },
    });
    this.#redis.on("error", () => {});
    this.#fetch = redressFetch(this.policies.prices, { operation: "GET price", timeoutCovers: "body" });
  }

  /** Connects to Redis; PostgreSQL is asked when it is needed. */
  async connect(): Promise<void> {
    await this.#redis.connect();
  }

  /** All that is known of a product; undefined if there is none. If one upstream has failed, the calls of the others end. */
  async product(id: number, signal: AbortSignal): Promise<Product | undefined> {
    const failed = new AbortController();
    const call = { signal: AbortSignal.any([signal, failed.signal]) };
    try {
      const [name, stock, price] = await Promise.all([
        this.policies.catalog.call(() => this.#name(id), { ...call, operation: "select product" }),
        this.policies.stock.call((attempt) => this.#stock(id, attempt), { ...call, operation: "get stock" }),
        this.#price(id, call.signal),
      ]);
      return name === undefined ? undefined : { id, name, stock, price };
    } finally {
      // After a success there is nothing to end.
      failed.abort();
    }
  }

  async #name(id: number): Promise<string | undefined> {
    const { rows } = await this.#pool.query<{ name: string }>("select name from product where id = $1", [id]);
    return rows[0]?.name;
  }

  async #stock(id: number, { signal }: Attempt): Promise<number> {
    return Number((await this.#redis.withAbortSignal(signal).get(`stock:${id}`)) ?? 0);
  }

  async #price(id: number, signal: AbortSignal): Promise<number> {
    const response = await this.#fetch(`${this.#addresses.prices}/prices/${id}`, { signal });
    if (!response.ok) throw Object.assign(new Error(`prices answered ${response.status}`), { status: response.status });
    return ((await response.json()) as { price: number }).price;
  }

  /** Ends the delays of all calls, and waits for their attempts. */
  async drain(): Promise<void> {
    await Promise.all(Object.values(this.policies).map((policy) => policy.drain()));
  }

  async close(): Promise<void> {
    this.#redis.destroy();
    await this.#pool.end();
  }
}
