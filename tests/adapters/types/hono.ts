// The middleware, the handlers and the context are Hono's own.

import { Hono } from "hono";
import { type CallOptions, Policy } from "redress";
import { callOptions, failures, health, requests } from "redress/hono";

const policy = new Policy();
const app = new Hono<{ Bindings: { readonly KEY: string } }>();
app.use(requests({ atMostMs: 5_000 }));
app.get("/product/:id", async (c) => {
  const options: CallOptions = callOptions(c, policy);
  const id: string = c.req.param("id");
  return c.json(await policy.call(() => id + c.env.KEY, options));
});
app.get("/health", health({ policy }));
app.onError(failures());
// @ts-expect-error: no option.
requests({ atMost: 5 });
export default app;
