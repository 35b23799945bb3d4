import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { startEdge } from "./edge.mjs";
import { startOrigin } from "./origin.mjs";

let origin;
let edge;

beforeEach(async () => {
  origin = await startOrigin();
  edge = await startEdge({ origin: origin.url, isolates: 2 });
});

afterEach(async () => {
  await edge.stop();
  await origin.stop();
});

async function status(path, isolate) {
  const response = await edge.fetch(path, {}, isolate);
  await response.text();
  return response.status;
}

test("a failure or two of the origin are not seen by the caller", async () => {
  origin.behave = (n) => [503, "reset", 200][n - 1] ?? 200;
  const response = await edge.fetch("/page");
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "origin says 200");
  assert.equal(origin.requests.length, 3);
});

test("an answer that no retry would change is passed on at once", async () => {
  origin.behave = () => 404;
  assert.equal(await status("/page"), 404);
  assert.equal(origin.requests.length, 1);
});

test("the origin's Retry-After is obeyed", async () => {
  origin.behave = (n) => (n === 1 ? 429 : 200);
  origin.retryAfter = "1";
  assert.equal(await status("/page"), 200);
  const [first, second] = origin.requests;
  assert.ok(second.atMs - first.atMs >= 950);
});

test("what one isolate learns of a dead origin, the other knows", async () => {
  origin.behave = () => 503;
  for (let n = 0; n < 5; n += 1) assert.equal(await status("/page", 0), 503);
  const reached = origin.requests.length;
  const response = await edge.fetch("/page", {}, 1);
  assert.equal(response.status, 503);
  assert.match(response.headers.get("retry-after"), /^[1-5]$/);
  assert.equal(origin.requests.length, reached);
});

test("jobs for a dead host reach it until its breaker opens, and go back to the queue from then on", async () => {
  origin.behave = () => 503;
  const send = (n) => edge.fetch("/jobs", { method: "POST", body: `letter ${n}` });
  // The breaker opens at the fifth failure; a probe comes after 30 s.
  for (let n = 0; n < 5; n += 1) await send(n);
  while (origin.requests.length < 5) await origin.next();
  for (let n = 5; n < 8; n += 1) await send(n);
  const answers = await Promise.all([0, 1].map((isolate) => status("/page", isolate)));
  assert.deepEqual(answers, [503, 503]);
  const deliveries = origin.requests.filter(({ path }) => path === "/deliver");
  assert.equal(deliveries.length, 5);
});

test("a job that must wait goes back to the queue for as long as the origin said", async () => {
  origin.behave = (n) => (n === 1 ? 429 : 200);
  origin.retryAfter = "2";
  const response = await edge.fetch("/jobs", { method: "POST", body: "letter" });
  assert.equal(response.status, 202);
  while (origin.requests.length < 2) await origin.next();
  const [first, second] = origin.requests;
  assert.ok(second.atMs - first.atMs >= 1_900, `${second.atMs - first.atMs} ms`);
  assert.equal(second.method, "POST");
});
