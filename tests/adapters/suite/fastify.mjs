// Fastify.

import Fastify from "fastify";
import { callOptions, failures, health, requests } from "redress/fastify";
import { assert, run, test } from "../lab/harness.mjs";
import { everyServer } from "./every/server.mjs";

everyServer({
  name: "fastify",
  requests: (options) => requests({ addHook() {} }, options, () => {}),
  health,
  callOptions,
  async start({ handler, upstreams, options }, { cleanup }) {
    const app = Fastify({ forceCloseConnections: false });
    await app.register(requests, { ...options, upstreams });
    app.setErrorHandler(failures());
    const answer = async (request, reply) => {
      const value = await handler({ callOptions: (policy) => callOptions(request, policy), id: request.params.id });
      return reply.type("application/json").send(JSON.stringify(value));
    };
    app.get("/product/:id", answer);
    await app.register(async (shop) => shop.get("/item/:item", answer), { prefix: "/shop/:shop" });
    app.get("/plain", async () => {
      throw new Error("of no call");
    });
    app.get("/health", health(upstreams));
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    cleanup(() => app.server.closeAllConnections());
    cleanup(() => app.close());
    const told = { code: (code) => ({ send: (body) => ((told.body = { code, body }), told) }) };
    return { url, stop: () => app.close(), health: (of) => (health(of)(undefined, told), told.body) };
  },
});

test("fastify: a route within another context has the plugin, too", async ({ cleanup }) => {
  const app = Fastify();
  app.register(requests);
  app.register(async (inner) => inner.get("/:id", async (request) => callOptions(request).operation), {
    prefix: "/in",
  });
  cleanup(() => app.close());
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  assert.equal(await (await fetch(`${url}/in/7`)).text(), "GET /in/:id");
});

test("fastify: another version of Fastify refuses the plugin by its name", () => {
  const { name, fastify } = requests[Symbol.for("plugin-meta")];
  assert.deepEqual([name, fastify], ["redress", "5.x"]);
});

await run();
