// Connect.

import { once } from "node:events";
import { createServer } from "node:http";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { interceptor } from "redress/connect";
import { Prices, startPrices } from "../lab/grpc.mjs";
import { assert, run, test } from "../lab/harness.mjs";
import { quick } from "./every/policy.mjs";
import { everyRpcClient } from "./every/rpc-client.mjs";

const get = async (client, value, { timeoutMs, signal, headers } = {}) =>
  (await client.get({ value }, { timeoutMs, signal, headers })).value;

everyRpcClient({
  name: "connect",
  client(address, policy, options, { cleanup }) {
    const controller = new AbortController();
    cleanup(() => controller.abort());
    const interceptors = [interceptor(policy, options)];
    const transport = createGrpcTransport({ baseUrl: `http://${address}`, interceptors, idleConnectionTimeoutMs: 10 });
    return createClient(Prices, transport);
  },
  get,
  async *watch(client, value) {
    for await (const message of client.watch({ value })) yield message.value;
  },
  codeOf: (error) => (error instanceof ConnectError ? error.code : undefined),
});

/** A service that Connect serves by its own protocol. */
async function startConnect(script, { cleanup }) {
  const calls = [];
  const routes = (router) =>
    router.service(Prices, {
      get({ value }, context) {
        const code = script[Math.min(calls.length, script.length - 1)];
        calls.push({ header: context.requestHeader, timeoutMs: context.timeoutMs() });
        if (code !== 0) throw new ConnectError(`code ${code}`, code);
        return { value: `price of ${value}` };
      },
    });
  const server = createServer(connectNodeAdapter({ routes }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(() => (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${server.address().port}`, calls };
}

test("connect: over its own protocol an attempt is repeated, with what is left of the time", async (lab) => {
  const server = await startConnect([Code.Unavailable, 0], lab);
  const transport = createConnectTransport({
    baseUrl: server.url,
    httpVersion: "1.1",
    interceptors: [interceptor(quick({ deadlineMs: 9_000, attemptTimeoutMs: 3_000 }))],
  });
  const client = createClient(Prices, transport);
  assert.equal(await get(client, "tea", { timeoutMs: 5_000 }), "price of tea");
  assert.deepEqual(
    server.calls.map(({ header }) => header.get("grpc-previous-rpc-attempts")),
    [null, "1"],
  );
  for (const { header } of server.calls) {
    const ms = Number(header.get("connect-timeout-ms"));
    assert.ok(ms <= 3_000 && ms > 1_000, `${ms}`);
  }
});

test("connect: an interceptor named before it runs once for a call, one named after it for each attempt", async (lab) => {
  const server = await startPrices([Code.Unavailable, 0], lab);
  const seen = [];
  const counting = (name) => (next) => (request) => (seen.push(name), next(request));
  const interceptors = [counting("first"), interceptor(quick()), counting("last")];
  const transport = createGrpcTransport({ baseUrl: server.url, interceptors, idleConnectionTimeoutMs: 10 });
  await get(createClient(Prices, transport), "tea");
  assert.deepEqual(seen, ["first", "last", "last"]);
});

await run();
