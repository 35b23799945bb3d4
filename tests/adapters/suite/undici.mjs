// undici.

import { Readable } from "node:stream";
import { classify } from "redress";
import { interceptor } from "redress/undici";
import { Agent, Client, DecoratorHandler, fetch, interceptors, RetryAgent, request } from "undici";
import { assert, run, test, thrown } from "../lab/harness.mjs";
import { startScripted } from "../lab/server.mjs";
import { everyHttpClient } from "./every/http-client.mjs";
import { quick } from "./every/policy.mjs";

const behind = (policy, options) => new Agent().compose(interceptor(policy, options));

everyHttpClient({
  name: "undici",
  client: behind,
  async send(dispatcher, method, url, { headers, body, signal, redress, raw } = {}) {
    const response = await request(url, { dispatcher, method, headers, body, signal, redress });
    return raw ? response : { status: response.statusCode, text: await response.body.text() };
  },
  textOf: (response) => response.body.text(),
  isAborted: (error, reason) => error === reason || error.name === "AbortError",
  throwsStatus: false,
  once: () => Readable.from(["a ", "stream"]),
});

test("undici: its fetch goes through the policy, too", async (lab) => {
  const server = await startScripted([503, "reset", 200], lab);
  const response = await fetch(server.url, { dispatcher: behind(quick()) });
  assert.deepEqual([response.status, await response.json()], [200, { status: 200 }]);
  assert.equal(server.requests.length, 3);
});

test("undici: a client of one origin, stream and HEAD", async (lab) => {
  const server = await startScripted([503, 200], lab);
  const client = new Client(server.url).compose(interceptor(quick()));
  const head = await client.request({ path: "/", method: "HEAD" });
  assert.equal(head.statusCode, 200);
  assert.equal(await head.body.text(), "");
  const chunks = [];
  const { Writable } = await import("node:stream");
  await client.stream(
    { path: "/", method: "GET" },
    () => new Writable({ write: (chunk, _, done) => (chunks.push(chunk), done()) }),
  );
  assert.equal(Buffer.concat(chunks).toString(), '{"status":200}');
  await client.close();
});

test("undici: headers in each of their forms are kept, beside those of the attempt", async (lab) => {
  const server = await startScripted([200], lab);
  const dispatcher = behind(quick());
  for (const headers of [{ "X-One": "1" }, ["X-One", "1"], new Map([["X-One", "1"]])]) {
    await (await request(server.url, { dispatcher, headers })).body.dump();
  }
  assert.deepEqual(
    server.requests.map(({ headers }) => [headers["x-one"], headers["x-request-attempt"]]),
    Array(3).fill(["1", "1"]),
  );
});

test("undici: a header that the program sends itself is left as it is", async (lab) => {
  const server = await startScripted([200], lab);
  await (await request(server.url, { dispatcher: behind(quick()), headers: ["X-Request-Deadline", "7"] })).body.dump();
  assert.equal(server.requests[0].headers["x-request-deadline"], "7");
});

test("undici: a large body comes whole, with back-pressure", async (lab) => {
  const items = Array(200_000).fill("item");
  const server = await startScripted([503, { status: 200, body: items }], lab);
  const { body } = await request(server.url, { dispatcher: behind(quick()) });
  let length = 0;
  for await (const chunk of body) length += chunk.length;
  assert.equal(length, JSON.stringify(items).length);
});

test("undici: a body that breaks off is the reader's error, and nothing is repeated", async (lab) => {
  const server = await startScripted(["half"], lab);
  const { body } = await request(server.url, { dispatcher: behind(quick()) });
  await thrown(body.text());
  assert.equal(server.requests.length, 1);
});

test("undici: a failed response whose body never ends is dropped before the next attempt", async (lab) => {
  const server = await startScripted(["busy stream", 200], lab);
  const { statusCode, body } = await request(server.url, { dispatcher: behind(quick()) });
  await body.dump();
  assert.equal(statusCode, 200);
  await server.until(() => server.requests[0].isClosed);
});

test("undici: no body is read before the policy has decided", async (lab) => {
  const server = await startScripted([{ status: 200, body: Array(200_000).fill("item") }], lab);
  let controller;
  class Watching extends DecoratorHandler {
    onResponseStart(given, ...words) {
      controller = given;
      return super.onResponseStart(given, ...words);
    }
  }
  const watching = (dispatch) => (opts, handler) => dispatch(opts, new Watching(handler));
  const paused = [];
  const resultClassifier = async () => (paused.push(controller.paused), null);
  const dispatcher = new Agent().compose(watching, interceptor(quick({ resultClassifier })));
  const { body } = await request(server.url, { dispatcher });
  assert.ok((await body.text()).length > 1_000_000);
  assert.deepEqual(paused, [true]);
});

test("undici: 103 is not the answer", async (lab) => {
  const server = await startScripted(
    [
      { status: 503, hints: true },
      { status: 200, hints: true },
    ],
    lab,
  );
  const { statusCode, body } = await request(server.url, { dispatcher: behind(quick()) });
  assert.deepEqual([statusCode, await body.json(), server.requests.length], [200, { status: 200 }, 2]);
});

test("undici: an attempt whose time is over before its connection is free is never sent", async (lab) => {
  const server = await startScripted(["hang", 200], lab);
  const client = new Client(server.url).compose(interceptor(quick({ maxAttempts: 1 })));
  const controller = new AbortController();
  const first = thrown(client.request({ path: "/first", method: "GET", signal: controller.signal }));
  await server.until(() => server.requests.length === 1);
  await thrown(client.request({ path: "/second", method: "GET", redress: { deadlineMs: 50 } }));
  controller.abort();
  await first;
  await (await client.request({ path: "/third", method: "GET" })).body.dump();
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    ["/first", "/third"],
  );
  await client.close();
});

test("undici: a result classifier of one's own gets status and headers", async (lab) => {
  const server = await startScripted([{ status: 200, headers: { "x-busy": "1" } }, 200], lab);
  const resultClassifier = (answer) => (answer.headers["x-busy"] ? "TRANSIENT" : classify.http(answer));
  const { statusCode, headers, body } = await request(server.url, { dispatcher: behind(quick({ resultClassifier })) });
  await body.dump();
  assert.deepEqual([statusCode, headers["x-busy"], server.requests.length], [200, undefined, 2]);
});

test("undici: it composes with other interceptors", async (lab) => {
  const server = await startScripted([503, { status: 302, headers: { location: "/there" } }, 200], lab);
  const dispatcher = new Agent().compose(interceptor(quick()), interceptors.redirect({ maxRedirections: 3 }));
  const { statusCode, body } = await request(server.url, { dispatcher });
  await body.dump();
  assert.equal(statusCode, 200);
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    ["/", "/", "/there"],
  );
});

test("undici: its own retry around it would multiply the attempts, and is refused", async (lab) => {
  const server = await startScripted([503], lab);
  for (const dispatcher of [behind(quick()).compose(interceptors.retry()), new RetryAgent(behind(quick()))]) {
    assert.match((await thrown(request(server.url, { dispatcher }))).message, /undici's own retry/);
  }
  assert.equal(server.requests.length, 0);
});

await run();
