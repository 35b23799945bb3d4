// Clients of both packages are taken by their shape, and another store by the two functions that it has.

import { Redis } from "ioredis";
import { createClient } from "redis";
import { backoff, Policy } from "redress";
import { SharedBreaker, type Store, sharedBreaker, sharedBudget } from "redress/redis";

const client = new Redis("redis://127.0.0.1:1", { lazyConnect: true });
const other = createClient();
const policy = new Policy({
  circuitBreaker: sharedBreaker(client, { key: "orders", failureThreshold: 5, whenUnreachable: "reject" }),
  retry: { strategy: backoff.constant(0), budget: sharedBudget(other, { key: "orders", ratio: 0.1 }) },
});
const value: number = await policy.call(() => 7);

const store: Store = {
  read: async () => ({ version: "", value: "", nowUs: Date.now() * 1_000 }),
  write: async (_key, version, next) => version !== next,
};
new SharedBreaker(store, { key: "orders", timeoutMs: null, onConflict: () => {} });
// @ts-expect-error: no key.
sharedBreaker(client, { failureThreshold: 5 });
// @ts-expect-error: it needs an answer in the middle of a call.
sharedBreaker(client, { key: "orders", checkBeforeRetry: true });
// @ts-expect-error: no client.
sharedBreaker({}, { key: "orders" });

export { value };
