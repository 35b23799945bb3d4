// The plugin, the error handler and the route are Fastify's own.

import Fastify from "fastify";
import { type CallOptions, Policy } from "redress";
import { callOptions, failures, health, requests } from "redress/fastify";

const policy = new Policy();
const upstreams = { policy };
const app = Fastify();
await app.register(requests, { atMostMs: 5_000, upstreams });
app.setErrorHandler(failures());
app.get<{ Params: { id: string } }>("/product/:id", async (request) => {
  const options: CallOptions = callOptions(request, policy);
  return policy.call(() => request.params.id, options);
});
app.get("/health", health(upstreams));
// @ts-expect-error: no option of the plugin.
await app.register(requests, { atMostMs: "5 s" });
