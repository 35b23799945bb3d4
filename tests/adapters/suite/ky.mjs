// ky.

import ky from "ky";
import { outcomeOf } from "redress";
import { withPolicy } from "redress/ky";
import { assert, run, test, thrown } from "../lab/harness.mjs";
import { startScripted } from "../lab/server.mjs";
import { everyHttpClient } from "./every/http-client.mjs";
import { quick } from "./every/policy.mjs";

everyHttpClient({
  name: "ky",
  client: (policy, options) => withPolicy(ky, policy, options),
  async send(client, method, url, { headers, body, signal, redress, raw } = {}) {
    const response = await client(url, { method, headers, body, signal, redress });
    return raw ? response : { status: response.status, text: await response.text() };
  },
  textOf: (response) => response.text(),
  isAborted: (error, reason) => error === reason || error.name === "AbortError",
  statusOf: (error) => (error.name === "HTTPError" ? error.response.status : undefined),
  throwsStatus: true,
});

test("ky: json of a client with a prefix, as without a policy", async (lab) => {
  const server = await startScripted([503, { status: 200, body: { items: [1] } }], lab);
  const client = withPolicy(ky.create({ prefix: server.url }), quick());
  assert.deepEqual(await client.put("items", { json: { name: "one" } }).json(), { items: [1] });
  assert.deepEqual(
    server.requests.map(({ url, body }) => [url, body]),
    Array(2).fill(["/items", '{"name":"one"}']),
  );
});

test("ky: its own retries are off, also those of the instance that was given", async (lab) => {
  const server = await startScripted([503], lab);
  const error = await thrown(withPolicy(ky.create({ retry: 5 }), quick()).get(server.url));
  assert.equal(error.response.status, 503);
  assert.equal(server.requests.length, 3);
});

test("ky: a retry of one request is refused", async (lab) => {
  const server = await startScripted([503], lab);
  const error = await thrown(withPolicy(ky, quick()).get(server.url, { retry: 2 }));
  assert.match(error.message, /redress\/ky: the policy retries/);
  assert.equal(server.requests.length, 0);
});

test("ky: hooks run once for a call, and those of the instance are kept", async (lab) => {
  const server = await startScripted([503, 503, 200], lab);
  const seen = [];
  const hooks = {
    beforeRequest: [({ request }) => (seen.push("request"), request.headers.set("x-one", "1"))],
    afterResponse: [({ response }) => void seen.push(response.status)],
  };
  await withPolicy(ky.create({ hooks }), quick()).get(server.url);
  assert.deepEqual(seen, ["request", 200]);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers["x-one"]),
    ["1", "1", "1"],
  );
});

test("ky: the fetch of the instance makes the attempts", async (lab) => {
  const server = await startScripted([503, 200], lab);
  let calls = 0;
  const own = (request, init) => ((calls += 1), fetch(request, init));
  await withPolicy(ky.create({ fetch: own }), quick()).get(server.url);
  assert.equal(calls, 2);
});

test("ky: its timeout does not end a call of several attempts", async (lab) => {
  const server = await startScripted(["hang", 200], lab);
  const client = withPolicy(ky.create({ timeout: 50 }), quick({ attemptTimeoutMs: 150 }));
  assert.equal((await client.get(server.url)).status, 200);
});

test("ky: of an HTTPError the outcome is known", async (lab) => {
  const server = await startScripted([404], lab);
  const outcome = outcomeOf(await thrown(withPolicy(ky, quick()).get(server.url)));
  assert.deepEqual([outcome.stopReason, outcome.lastClass, outcome.attempts], ["NON_RETRYABLE_CLASS", "PERMANENT", 1]);
});

test("ky: a stream as the body of POST is sent once", async (lab) => {
  const server = await startScripted([503], lab);
  const body = new Blob(["a ", "stream"]).stream();
  await thrown(withPolicy(ky, quick()).post(server.url, { body }));
  assert.deepEqual(
    server.requests.map(({ body }) => body),
    ["a stream"],
  );
});

test("ky: what is no instance is refused by the name of the package", () => {
  assert.throws(
    () => withPolicy(fetch, quick()),
    /ky\.client: function fetch is not an instance of the package ky 2: npm install ky/,
  );
});

await run();
