import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { startService } from "./service.mjs";
import { startUpstreams } from "./upstream.mjs";

let catalog;
let prices;
let service;

beforeEach(async () => {
  ({ catalog, prices } = await startUpstreams());
  service = await startService({ catalogUrl: catalog.url, pricesUrl: prices.url });
});

afterEach(async () => {
  await service.stop().catch(() => {});
  await Promise.all([catalog.stop(), prices.stop()]);
});

const get = (id) => fetch(`${service.url}/product/${id}`);

test("answers with what both upstreams know", async () => {
  const response = await get(7);
  assert.deepEqual(await response.json(), { id: "7", name: "product 7", price: 70 });
});

test("one failure of an upstream is not seen by the caller", async () => {
  for (let id = 1; id <= 20; id += 1) assert.equal((await get(id)).status, 200);
  prices.behave = (n) => (n === 21 ? "fail" : "ok");
  assert.equal((await get(7)).status, 200);
  assert.equal(prices.requests, 22);
});

test("a dead upstream gets no more than a tenth on top, and the other is left alone", async () => {
  for (let id = 1; id <= 20; id += 1) await get(id);
  prices.behave = () => "fail";
  const answers = await Promise.all(Array.from({ length: 100 }, (_, id) => get(id)));
  assert.ok(answers.every(({ status }) => status === 502 || status === 503));
  assert.ok(prices.requests <= 20 + 100 + 24, `${prices.requests} requests`);
  // Nothing on top here; a call may have ended early, because the price had failed already.
  assert.ok(catalog.requests <= 120, `${catalog.requests} requests`);
});

test("an open breaker answers 503 with Retry-After, without asking", async () => {
  prices.behave = () => "fail";
  for (let id = 0; id < 10; id += 1) await get(id);
  const reached = prices.requests;
  const response = await get(1);
  assert.equal(response.status, 503);
  assert.match(response.headers.get("retry-after"), /^[12]$/);
  assert.equal(prices.requests, reached);
});

test("stopping ends the calls in flight with an answer, at once", async () => {
  prices.behave = () => "hang";
  const pending = get(1);
  await prices.next();
  const told = performance.now();
  const [response] = await Promise.all([pending, service.stop()]);
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { error: "shutting down" });
  assert.ok(performance.now() - told < 400);
});
