// Hono on Node.

import { once } from "node:events";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { Policy } from "redress";
import { callOptions, drain, failures, health, requests } from "redress/hono";
import { assert, run, test } from "../lab/harness.mjs";
import { everyServer } from "./every/server.mjs";

everyServer({
  name: "hono",
  requests,
  health,
  callOptions,
  async start({ handler, upstreams, options }, { cleanup }) {
    const app = new Hono();
    app.use(requests(options));
    const answer = async (c) =>
      c.json(await handler({ callOptions: (policy) => callOptions(c, policy), id: c.req.param("id") }));
    app.get("/product/:id", answer);
    const shop = new Hono();
    shop.get("/item/:item", answer);
    app.route("/shop/:shop", shop);
    app.get("/plain", () => {
      throw new Error("of no call");
    });
    app.get("/health", health(upstreams));
    app.onError(failures((_error, c) => c.text("no", 500)));
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    if (!server.listening) await once(server, "listening");
    cleanup(() => server.closeAllConnections());
    cleanup(() => server.close());
    const told = { json: (body, code) => ({ code, body }) };
    return {
      url: `http://127.0.0.1:${server.address().port}`,
      stop: () => drain(server, upstreams),
      health: (of) => health(of)(told),
    };
  },
});

test("hono: without a handler of one's own, other errors are answered as Hono does", async () => {
  const app = new Hono();
  app.onError(failures());
  const conflict = async () => {
    throw new HTTPException(409, { message: "a conflict" });
  };
  app.get("/known", (c) => new Policy().call(conflict, { operation: c.req.path }));
  app.get("/plain", () => {
    throw new Error("of no call");
  });
  const { error } = console;
  const printed = [];
  console.error = (one) => printed.push(one.message);
  try {
    assert.equal((await app.request("/known")).status, 409);
    const plain = await app.request("/plain");
    assert.deepEqual([plain.status, await plain.text(), printed], [500, "Internal Server Error", ["of no call"]]);
  } finally {
    console.error = error;
  }
});

await run();
