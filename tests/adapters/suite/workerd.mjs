// Hono in a worker of Cloudflare: workerd, by miniflare, with the core as a module of the bundle.

import { assert, run, test } from "../lab/harness.mjs";
import { startScripted } from "../lab/server.mjs";
import { startWorker } from "../lab/workerd.mjs";

/** What asks a worker. */
async function worker(lab, bindings) {
  const miniflare = await startWorker("worker.mjs", { bindings }, lab);
  return (path, headers) => miniflare.dispatchFetch(`http://worker.test${path}`, { headers });
}

const told = async (response) => [response.status, response.headers.get("retry-after"), await response.text()];

test("workerd: an open breaker is 503 with Retry-After, other failures 502", async (lab) => {
  const upstream = await startScripted([503], lab);
  const get = await worker(lab, { UPSTREAM: upstream.url });
  assert.deepEqual(await told(await get("/product/7")), [502, null, "a service has failed"]);
  assert.deepEqual(await told(await get("/product/7")), [503, "3", "the service is not available"]);
  const { status, upstreams } = await (await get("/health")).json();
  assert.deepEqual([status, upstreams.stock.breaker.state], ["ready", "open"]);
});

test("workerd: the request's deadline is that of the calls, and handed on", async (lab) => {
  const upstream = await startScripted([200], lab);
  const get = await worker(lab, { UPSTREAM: upstream.url });
  const response = await get("/product/7", { "x-request-deadline": "4000" });
  const { deadlineMs, operation } = await response.json();
  assert.ok(deadlineMs <= 4_000 && deadlineMs > 2_000, `${deadlineMs}`);
  assert.equal(operation, "GET /product/:id");
});

test("workerd: a call under way at the deadline is 504", async (lab) => {
  const upstream = await startScripted(["hang"], lab);
  const get = await worker(lab, { UPSTREAM: upstream.url });
  assert.deepEqual(await told(await get("/product/7", { "x-request-deadline": "150" })), [
    504,
    null,
    "the request took too long",
  ]);
});

test("workerd: a deadline that cannot be read is 400", async (lab) => {
  const upstream = await startScripted([200], lab);
  const get = await worker(lab, { UPSTREAM: upstream.url });
  assert.deepEqual(await told(await get("/product/7", { "grpc-timeout": "soon" })), [
    400,
    null,
    'grpc-timeout: "soon" is not 1 to 8 digits and one of H, M, S, m, u and n',
  ]);
  assert.equal(upstream.requests.length, 0);
});

await run();
