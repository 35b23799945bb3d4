// axios.

import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import axios from "axios";
import axiosRetry from "axios-retry";
import FormData from "form-data";
import { backoff, CircuitBreaker, classify, Keyed, KeyedPolicy } from "redress";
import { withPolicy } from "redress/axios";
import { FakePolicy } from "redress/testing";
import { assert, run, test, thrown } from "../lab/harness.mjs";
import { startScripted } from "../lab/server.mjs";
import { everyHttpClient } from "./every/http-client.mjs";
import { quick } from "./every/policy.mjs";

everyHttpClient({
  name: "axios",
  client: (policy, options) => withPolicy(axios.create({ responseType: "text" }), policy, options),
  async send(client, method, url, { headers, body, signal, redress, raw } = {}) {
    const responseType = raw ? "stream" : "text";
    const response = await client.request({ url, method, headers, data: body, signal, redress, responseType });
    return raw ? response : { status: response.status, text: response.data };
  },
  textOf: (response) => text(response.data),
  isAborted: (error) => axios.isCancel(error),
  statusOf: (error) => (axios.isAxiosError(error) ? error.response.status : undefined),
  throwsStatus: true,
  once: () => Readable.from(["a ", "stream"]),
});

test("axios: JSON goes in and comes out as without a policy", async (lab) => {
  const server = await startScripted([503, { status: 200, body: { items: [1, 2] } }], lab);
  const client = withPolicy(axios.create({ baseURL: server.url }), quick());
  const sent = [];
  client.interceptors.request.use((config) => (sent.push(config), config));
  const { data, config } = await client.put("/items", { name: "one" }, { params: { page: 2 } });
  assert.deepEqual(data, { items: [1, 2] });
  assert.equal(config, sent[0]);
  for (const { url, body, headers } of server.requests) {
    assert.deepEqual([url, body, headers["content-type"]], ["/items?page=2", '{"name":"one"}', "application/json"]);
  }
});

test("axios: interceptors run once for a call, around all attempts", async (lab) => {
  const server = await startScripted([503, 503, 200], lab);
  const client = axios.create();
  const seen = [];
  client.interceptors.request.use((config) => (seen.push("before"), config));
  withPolicy(client, quick());
  client.interceptors.request.use((config) => (seen.push("after"), config));
  client.interceptors.response.use((response) => (seen.push("response"), response));
  await client.get(server.url);
  assert.deepEqual(seen, ["after", "before", "response"]);
  assert.equal(server.requests.length, 3);
});

test("axios: an interceptor that renews a token sends the config of the error anew, behind one policy", async (lab) => {
  const server = await startScripted([401, 503, { status: 200, body: { name: "one" } }], lab);
  const client = withPolicy(axios.create({ headers: { authorization: "old" } }), quick());
  client.interceptors.response.use(undefined, (error) => {
    if (error.response?.status !== 401) throw error;
    error.config.headers.set("authorization", "new");
    return client(error.config);
  });
  const { data } = await client.post(server.url, { a: 1 }, { headers: { "idempotency-key": "k" } });
  assert.deepEqual(data, { name: "one" });
  assert.deepEqual(
    server.requests.map(({ headers, body }) => [headers.authorization, body, headers["x-request-attempt"]]),
    [
      ["old", '{"a":1}', "1"],
      ["new", '{"a":1}', "1"],
      ["new", '{"a":1}', "2"],
    ],
  );
});

test("axios: a header that an interceptor takes away stays away", async (lab) => {
  const server = await startScripted([200], lab);
  const client = withPolicy(axios.create({ headers: { "x-default": "1" } }), quick());
  client.interceptors.request.use((config) => (config.headers.delete("x-default"), config));
  await client.get(server.url);
  assert.equal(server.requests[0].headers["x-default"], undefined);
});

test("axios: validateStatus says what an error is", async (lab) => {
  const server = await startScripted([404], lab);
  const client = withPolicy(axios.create({ validateStatus: (status) => status === 404 }), quick());
  assert.equal((await client.get(server.url)).status, 404);
});

test("axios: a policy whose result classifier is that of HTTP takes a response of axios for what it is", async (lab) => {
  const server = await startScripted([200], lab);
  const client = withPolicy(axios.create(), quick({ resultClassifier: classify.http }));
  assert.equal((await client.get(server.url)).status, 200);
  assert.equal(server.requests.length, 1);
});

test("axios: a classifier of one's own gets the error of axios", async (lab) => {
  const server = await startScripted([503], lab);
  const classifier = (error) => (error.response.status === 503 ? "PERMANENT" : "UNKNOWN");
  const error = await thrown(withPolicy(axios.create(), quick({ classifier })).get(server.url));
  assert.equal(error.response.status, 503);
  assert.equal(server.requests.length, 1);
});

test("axios: FormData of form-data, which is a stream, is sent once", async (lab) => {
  const server = await startScripted([503], lab);
  const form = new FormData();
  form.append("name", "one");
  await thrown(withPolicy(axios.create(), quick()).put(server.url, form));
  assert.equal(server.requests.length, 1);
});

test("axios: a policy by key has a breaker for each host", async (lab) => {
  const down = await startScripted([503], lab);
  const up = await startScripted([200], lab);
  const breakers = new Keyed(CircuitBreaker, { capacity: 10, failureThreshold: 1 });
  const policy = new KeyedPolicy({
    circuitBreaker: breakers,
    retry: { strategy: backoff.constant(1), maxAttempts: 1 },
  });
  const client = withPolicy(axios.create(), policy);
  await thrown(client.get(down.url));
  assert.equal((await thrown(client.get(down.url))).name, "CircuitOpenError");
  assert.equal((await client.get(up.url)).status, 200);
  assert.deepEqual([...breakers.keys()].sort(), [down.host, up.host].sort());
});

test("axios: axios-retry beside it would multiply the attempts, and is refused", async (lab) => {
  const server = await startScripted([503], lab);
  for (const order of [
    (client) => withPolicy(axiosRetry(client) && client, quick()),
    (client) => axiosRetry(withPolicy(client, quick())) && client,
  ]) {
    const client = order(axios.create());
    assert.match((await thrown(client.get(server.url))).message, /axios-retry repeats the requests/);
  }
  assert.equal(server.requests.length, 0);
});

test("axios: a fake policy of redress/testing answers by itself", async () => {
  const client = withPolicy(axios.create(), new FakePolicy({ error: new Error("faked") }));
  assert.equal((await thrown(client.get("https://api.example.com"))).message, "faked");
});

test("axios: what is no instance is refused by the name of the package", () => {
  assert.throws(
    () => withPolicy(undefined, quick()),
    /axios\.client: undefined is not an instance of the package axios 1\.7 and up: npm install axios/,
  );
  assert.throws(() => withPolicy({ get() {} }, quick()), /npm install axios/);
});

await run();
