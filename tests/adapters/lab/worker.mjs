// A worker: Hono before one upstream.

import { Hono } from "hono";
import { backoff, CircuitBreaker, Policy } from "redress";
import { callOptions, failures, health, requests } from "redress/hono";

let stock;
const upstreams = () =>
  (stock ??= {
    stock: new Policy({
      circuitBreaker: new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 3_000 }),
      retry: { strategy: backoff.constant(1), maxAttempts: 1 },
    }),
  });

const app = new Hono();
app.use(requests());
app.onError(failures());
app.get("/product/:id", async (c) => {
  const options = callOptions(c, upstreams().stock);
  await upstreams().stock.call(async ({ signal }) => {
    const response = await fetch(c.env.UPSTREAM, { signal });
    if (!response.ok) throw Object.assign(new Error("not read"), { status: response.status });
  }, options);
  return c.json({ deadlineMs: options.deadlineMs, operation: options.operation });
});
app.get("/health", (c) => health(upstreams())(c));

export default app;
