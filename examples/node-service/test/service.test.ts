import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { type Server, startPostgres, startRedis } from "../demo/processes.js";
import { type Prices, startCollector, startPrices } from "../demo/servers.js";
import { type Service, startService } from "../src/service.js";
import { startTracing, type Tracing } from "../src/telemetry.js";

let postgres: Server;
let redis: Server;
let collector: Awaited<ReturnType<typeof startCollector>>;
let tracing: Tracing;
let prices: Prices;
let service: Service;

before(async () => {
  [postgres, redis, collector] = await Promise.all([startPostgres(), startRedis(), startCollector()]);
  tracing = startTracing(collector.url);
});

after(async () => {
  await tracing.end();
  await Promise.all([postgres.stop(), redis.stop(), collector.stop()]);
});

beforeEach(async () => {
  prices = await startPrices();
  const database = `postgres://shop@127.0.0.1:${postgres.port}/postgres`;
  const addresses = { database, redis: `redis://127.0.0.1:${redis.port}`, prices: prices.url };
  service = await startService(addresses, { level: "silent" });
});

afterEach(async () => {
  await service.stop(0);
  await prices.stop();
});

const get = (id: number) => fetch(`${service.url}/product/${id}`);
const metrics = async () => (await fetch(`${service.url}/metrics`)).text();

test("answers with what the upstreams know", async () => {
  const response = await get(7);
  assert.deepEqual(await response.json(), { id: 7, name: "product 7", stock: 70, price: 70 });
});

test("a product that there is not is 404, without a retry, and no breaker counts it", async () => {
  for (let id = 5_000; id < 5_010; id += 1) assert.equal((await get(id)).status, 404);
  assert.doesNotMatch(await metrics(), /redress_retries\{/);
  assert.equal((await get(1)).status, 200);
  assert.equal((await get(Number.NaN)).status, 400);
});

test("one failure of an upstream is not seen by the caller", async () => {
  for (let id = 1; id <= 20; id += 1) assert.equal((await get(id)).status, 200);
  prices.behave = (n) => (n === 21 ? "fail" : "ok");
  assert.equal((await get(7)).status, 200);
  assert.equal(prices.requests, 22);
});

test("a dead upstream gets no more than a tenth on top, and the others are left alone", async () => {
  for (let id = 1; id <= 20; id += 1) await get(id);
  prices.behave = () => "fail";
  const answers = await Promise.all(Array.from({ length: 100 }, (_, id) => get(id)));
  assert.ok(answers.every(({ status }) => status === 502 || status === 503));
  // 120 requests with three calls each earn 36 retries, besides the 10 that are there at the start and one a second.
  assert.ok(prices.requests <= 20 + 100 + 50, `${prices.requests} requests`);
  assert.doesNotMatch(await metrics(), /redress_retries\{upstream="(catalog|stock)"/);
});

test("an open breaker answers 503 with Retry-After, without asking", async () => {
  prices.behave = () => "fail";
  for (let id = 0; id < 10; id += 1) await get(id);
  const reached = prices.requests;
  const response = await get(1);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.equal(prices.requests, reached);
  const health = (await (await fetch(`${service.url}/health`)).json()) as { breakers: Record<string, string> };
  assert.deepEqual(health.breakers, { catalog: "closed", stock: "closed", prices: "open" });
  assert.match(await metrics(), /^redress_circuit_state\{upstream="prices"\} 2$/m);
});

test("a restart of PostgreSQL between two requests is not seen by the caller", async () => {
  assert.equal((await get(1)).status, 200);
  await postgres.kill();
  await postgres.start();
  assert.equal((await get(2)).status, 200);
});

test("each call is a span, a child of its request's", async () => {
  const before = collector.spans.length;
  await get(1);
  await tracing.flush();
  const spans = collector.spans.slice(before);
  const request = spans.find(({ name }) => name === "GET /product/:id");
  const called = spans.filter(({ name, parentSpanId }) => name === "redress.call" && parentSpanId === request?.spanId);
  assert.equal(called.length, 3);
});

test("stopping ends the calls in flight with an answer, at once", async () => {
  prices.behave = () => "hang";
  const pending = get(1);
  await prices.next();
  const told = performance.now();
  const [response] = await Promise.all([pending, service.stop(0)]);
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { error: "shutting down" });
  assert.ok(performance.now() - told < 400);
});

test("stopping lets an attempt in flight end within its grace, and makes no further one", async () => {
  let answer: (() => void) | undefined;
  const slow = new Promise<void>((resolve) => {
    answer = resolve;
  });
  prices.behave = () => "fail";
  prices.before = () => slow;
  const pending = get(1);
  await prices.next();
  const stopped = service.stop(60_000);
  answer?.();
  assert.equal((await pending).status, 503);
  await stopped;
  assert.equal(prices.requests, 1);
});
