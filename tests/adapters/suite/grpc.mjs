// @grpc/grpc-js.

import * as grpc from "@grpc/grpc-js";
import { clientOptions, interceptor } from "redress/grpc";
import { PricesClient, startPrices } from "../lab/grpc.mjs";
import { assert, run, test, thrown } from "../lab/harness.mjs";
import { quick } from "./every/policy.mjs";
import { everyRpcClient } from "./every/rpc-client.mjs";

const insecure = grpc.credentials.createInsecure();

const made = (address, options, { cleanup }) => {
  const client = new PricesClient(address, insecure, options);
  cleanup(() => client.close());
  return client;
};

const get = (client, item, { timeoutMs, signal, headers = {} } = {}) =>
  new Promise((resolve, reject) => {
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const call = client.get(item, metadata, options, (error, price) => (error ? reject(error) : resolve(price)));
    signal?.addEventListener("abort", () => call.cancel());
  });

everyRpcClient({
  name: "grpc-js",
  client: (address, policy, options, lab) => made(address, clientOptions(policy, options), lab),
  get,
  watch: (client, item) => client.watch(item),
  codeOf: (error) => error.code,
});

test("grpc-js: retries by a service config do not multiply those of the policy", async (lab) => {
  const server = await startPrices([grpc.status.UNAVAILABLE], lab);
  const retryPolicy = {
    maxAttempts: 4,
    initialBackoff: "0.001s",
    maxBackoff: "0.001s",
    backoffMultiplier: 1,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  const config = JSON.stringify({ loadBalancingConfig: [], methodConfig: [{ name: [{}], retryPolicy }] });
  const without = made(server.address, { interceptors: [interceptor(quick())], "grpc.service_config": config }, lab);
  await thrown(get(without, "tea"));
  const multiplied = server.calls.length;
  await thrown(get(made(server.address, { ...clientOptions(quick()), "grpc.service_config": config }, lab), "tea"));
  assert.deepEqual([multiplied, server.calls.length - multiplied], [12, 3]);
});

test("grpc-js: metadata and status of the answer come to the caller", async (lab) => {
  const server = await startPrices([grpc.status.UNAVAILABLE, { code: 0, metadata: { "x-told": "1" } }], lab);
  const client = made(server.address, clientOptions(quick()), lab);
  const call = client.get("tea", () => {});
  const status = await new Promise((resolve) => call.on("status", resolve));
  assert.deepEqual([status.code, status.metadata.get("x-told"), call.getPeer()], [0, ["1"], server.address]);
});

test("grpc-js: an interceptor outside runs once for a call, one inside for each attempt", async (lab) => {
  const server = await startPrices([grpc.status.UNAVAILABLE, 0], lab);
  const seen = [];
  const counting = (name) => (options, next) => (seen.push(name), new grpc.InterceptingCall(next(options)));
  const interceptors = [counting("outside"), interceptor(quick()), counting("inside")];
  await get(made(server.address, { interceptors }, lab), "tea");
  assert.deepEqual(seen, ["outside", "inside", "inside"]);
});

await run();
