// got.

import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import got from "got";
import { backoff, CircuitBreaker, outcomeOf } from "redress";
import { withPolicy } from "redress/got";
import { FakePolicy } from "redress/testing";
import { assert, run, test, thrown } from "../lab/harness.mjs";
import { startScripted } from "../lab/server.mjs";
import { everyHttpClient } from "./every/http-client.mjs";
import { quick } from "./every/policy.mjs";

everyHttpClient({
  name: "got",
  client: (policy, options) => withPolicy(got, policy, options),
  async send(client, method, url, { headers, body, signal, redress } = {}) {
    const response = await client(url, { method, headers, body, signal, context: { redress } });
    return { status: response.statusCode, text: response.body };
  },
  isAborted: (error) => error.name === "AbortError",
  statusOf: (error) => (error.code === "ERR_NON_2XX_3XX_RESPONSE" ? error.response.statusCode : undefined),
  throwsStatus: true,
  once: () => Readable.from(["a ", "stream"]),
});

test("got: json() and its like are as without a policy", async (lab) => {
  const server = await startScripted([503, { status: 200, body: { items: [1] } }], lab);
  const client = withPolicy(got.extend({ prefixUrl: server.url }), quick());
  assert.deepEqual(await client.put("items", { json: { name: "one" } }).json(), { items: [1] });
  assert.deepEqual(
    server.requests.map(({ url, body }) => [url, body]),
    Array(2).fill(["/items", '{"name":"one"}']),
  );
});

test("got: whatever its own retries are, the policy's count", async (lab) => {
  const server = await startScripted([503], lab);
  const client = withPolicy(got.extend({ retry: { limit: 9, statusCodes: [] } }), quick());
  assert.equal((await thrown(client.get(server.url, { retry: { limit: 7 } }))).response.statusCode, 503);
  assert.equal(server.requests.length, 3);
});

test("got: a function of one request that says what to retry is not asked", async (lab) => {
  const server = await startScripted([503], lab);
  const retry = { calculateDelay: () => 1, enforceRetryRules: true };
  await thrown(withPolicy(got, quick()).get(server.url, { retry }));
  assert.equal(server.requests.length, 3);
});

test("got: a response that may have any status ends the call as a failure, and is the value", async (lab) => {
  const server = await startScripted([503], lab);
  const events = [];
  const client = withPolicy(got, quick(), { onEvent: ({ event }) => events.push(event) });
  const { statusCode } = await client.get(server.url, { throwHttpErrors: false });
  assert.deepEqual([statusCode, server.requests.length], [503, 3]);
  assert.deepEqual(events, ["retry", "retry", "max_attempts_exceeded"]);
});

test("got: a redirect is of the same attempt", async (lab) => {
  const server = await startScripted([503, { status: 302, headers: { location: "/there" } }, 200], lab);
  const attempts = [];
  const client = withPolicy(got, quick(), { onAttemptStart: ({ attempt }) => attempts.push(attempt) });
  assert.equal((await client.get(server.url)).statusCode, 200);
  assert.deepEqual(attempts, [1, 2]);
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    ["/", "/", "/there"],
  );
});

test("got: a hook that wants the request anew is of the same attempt", async (lab) => {
  const server = await startScripted([401, 200], lab);
  const hook = (response, again) =>
    response.statusCode === 401 ? again({ headers: { authorization: "new" } }) : response;
  const events = [];
  const client = withPolicy(got.extend({ hooks: { afterResponse: [hook] } }), quick(), {
    onEvent: ({ event, attempt }) => events.push([event, attempt]),
  });
  assert.equal((await client.get(server.url)).statusCode, 200);
  assert.equal(server.requests[1].headers.authorization, "new");
  assert.deepEqual(events, [["success", 1]]);
});

test("got: a probe that is aborted gives its place back", async (lab) => {
  const server = await startScripted([503, "hang", 200], lab);
  let now = 0;
  const clock = () => now;
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 1_000, clock });
  const client = withPolicy(got, quick({ maxAttempts: 1 }, { circuitBreaker }));
  await thrown(client.get(server.url));
  now = 1_000;
  const controller = new AbortController();
  const probe = thrown(client.get(server.url, { signal: controller.signal }));
  await server.until(() => server.requests.length === 2);
  controller.abort();
  await probe;
  assert.equal((await client.get(server.url)).statusCode, 200);
  assert.equal(circuitBreaker.state, "closed");
});

test("got: an error's outcome is known", async (lab) => {
  const server = await startScripted([404], lab);
  const outcome = outcomeOf(await thrown(withPolicy(got, quick()).get(server.url)));
  assert.deepEqual([outcome.stopReason, outcome.lastClass, outcome.attempts], ["NON_RETRYABLE_CLASS", "PERMANENT", 1]);
});

test("got: its own time-out of a request ends an attempt if it is shorter", async (lab) => {
  const server = await startScripted(["hang", 200], lab);
  const client = withPolicy(got.extend({ timeout: { request: 100 } }), quick({ attemptTimeoutMs: 15_000 }));
  assert.equal((await client.get(server.url)).statusCode, 200);
});

test("got: a stream goes on as it is", async (lab) => {
  const server = await startScripted(["stream"], lab);
  const stream = withPolicy(got, quick({ strategy: backoff.constant(1) })).stream(server.url);
  await server.until(() => server.requests.length === 1);
  stream.once("data", () => server.rest());
  assert.equal(await text(stream), "first,the rest");
});

test("got: what is no instance is refused by the name of the package, and a policy without steps", () => {
  const fake = new FakePolicy({ result: 1 });
  assert.throws(() => withPolicy(got, fake), /got\.policy: an object is not a policy that can be walked step by step/);
  assert.throws(
    () => withPolicy({}, quick()),
    /got\.client: an object is not an instance of the package got 14 and up: npm install got/,
  );
});

await run();
