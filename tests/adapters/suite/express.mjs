// Express.

import { once } from "node:events";
import express from "express";
import { backoff, Policy } from "redress";
import { callOptions, drain, failures, health, requests } from "redress/express";
import { assert, run, test } from "../lab/harness.mjs";
import { everyServer } from "./every/server.mjs";

async function serve(app, { cleanup }) {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(() => server.closeAllConnections());
  cleanup(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, server };
}

everyServer({
  name: "express",
  requests,
  health,
  callOptions,
  async start({ handler, upstreams, options }, lab) {
    const app = express();
    app.set("env", "test");
    app.use(requests(options));
    const answer = async (req, res) =>
      res.json(await handler({ callOptions: (policy) => callOptions(req, policy), id: req.params.id }));
    app.get("/product/:id", answer);
    const shop = express.Router();
    shop.get("/item/:item", answer);
    app.use("/shop/:shop", shop);
    app.get("/plain", () => {
      throw new Error("of no call");
    });
    app.get("/health", health(upstreams));
    app.use(failures());
    app.use((_error, _req, res, _next) => res.status(500).end());
    const { url, server } = await serve(app, lab);
    const told = { status: (code) => ({ json: (body) => (told.said = { code, body }) }) };
    return { url, stop: () => drain(server, upstreams), health: (of) => (health(of)(undefined, told), told.said) };
  },
});

test("express: a router's parameters are taken out of its path, encoded ones and those that merge", async (lab) => {
  const app = express();
  app.use(requests());
  const operations = [];
  const note = (req, res) => (operations.push(callOptions(req).operation), res.end());
  const inner = express.Router({ mergeParams: true });
  inner.get("/", note).get("/item/:item", note);
  const outer = express.Router();
  outer.use("/shop/:shop", inner);
  app.use("/:tenant", outer);
  app.use(note);
  const { url } = await serve(app, lab);
  for (const path of ["/a%20b/shop/7", "/b/shop/8/item/9", "/nothing/here"]) await fetch(url + path);
  assert.deepEqual(operations, ["GET /:tenant/shop/:shop", "GET /:tenant/shop/:shop/item/:item", "GET"]);
});

test("express: an error that may be shown goes on, also where a call threw it", async (lab) => {
  const app = express();
  app.use(requests());
  const policy = new Policy({ retry: { strategy: backoff.constant(1), classifier: () => "PERMANENT" } });
  const missing = () => Promise.reject(Object.assign(new Error("no such product"), { status: 404, expose: true }));
  app.get("/product/:id", async (req) => policy.call(missing, callOptions(req)));
  app.use(failures());
  app.use((error, _req, res, _next) => res.status(error.status).send(error.message));
  const { url } = await serve(app, lab);
  const response = await fetch(`${url}/product/7`);
  assert.deepEqual([response.status, await response.text()], [404, "no such product"]);
});

await run();
