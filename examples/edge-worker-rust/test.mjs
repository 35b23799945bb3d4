import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { startOrigin } from "../edge-worker/origin.mjs";
import { startEdge } from "./edge.mjs";

let origin;
let edge;

beforeEach(async () => {
  origin = await startOrigin();
  edge = await startEdge();
});

afterEach(async () => {
  await edge.stop();
  await origin.stop();
});

const at = (url, path) => `/${new URL(url).host}${path}`;

async function status(url) {
  const response = await edge.fetch(at(url, "/page"));
  await response.text();
  return response.status;
}

test("a failure or two of the origin are not seen by the caller", async () => {
  origin.behave = (n) => [503, "reset", 200][n - 1] ?? 200;
  const response = await edge.fetch(at(origin.url, "/page"));
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "origin says 200");
  assert.equal(origin.requests.length, 3);
});

test("an answer that no retry would change is passed on at once", async () => {
  origin.behave = () => 404;
  assert.equal(await status(origin.url), 404);
  assert.equal(origin.requests.length, 1);
});

test("the origin's Retry-After is followed", async () => {
  origin.behave = (n) => (n === 1 ? 429 : 200);
  origin.retryAfter = "1";
  assert.equal(await status(origin.url), 200);
  const [first, second] = origin.requests;
  assert.ok(second.atMs - first.atMs >= 950, `${second.atMs - first.atMs} ms`);
});

test("a request without an answer is aborted, and sent again", async () => {
  origin.behave = (n) => (n === 1 ? "hang" : 200);
  assert.equal(await status(origin.url), 200);
  assert.equal(origin.requests.length, 2);
});

test("a host that is down is not asked any more, and another one is", async () => {
  const other = await startOrigin();
  origin.behave = () => 503;
  for (let n = 0; n < 5; n += 1) assert.equal(await status(origin.url), 503);
  const reached = origin.requests.length;
  const response = await edge.fetch(at(origin.url, "/page"));
  assert.equal(response.status, 503);
  assert.match(response.headers.get("retry-after"), /^[1-5]$/);
  await response.text();
  assert.equal(origin.requests.length, reached);
  assert.equal(await status(other.url), 200);
  await other.stop();
});

test("what would be sent twice is not taken", async () => {
  const response = await edge.fetch(at(origin.url, "/page"), { method: "POST", body: "letter" });
  assert.equal(response.status, 405);
  assert.equal(origin.requests.length, 0);
});
