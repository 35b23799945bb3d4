import assert from "node:assert/strict";
import { test } from "node:test";
import client from "prom-client";
import { Budget, backoff, CircuitBreaker, Keyed, KeyedPolicy, Policy, RetryPolicy } from "redress";
import { prometheus } from "redress/prometheus";
import { watch } from "redress/watch";
import { down, failing } from "../lab/faults.mjs";

const retry = { strategy: backoff.constant(0), maxAttempts: 2 };

/** The samples of a registry: `name{labels}` and its value. */
async function samples(register) {
  const lines = (await register.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
  );
}

test("counters, histograms and gauges have the names and the labels of the README", async () => {
  const register = new client.Registry();
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
  const budget = new Budget({ maxRetries: 5 });
  const policy = watch(
    new Policy({ circuitBreaker, retry: { ...retry, budget } }),
    [prometheus(client, { register })],
    {
      upstream: "orders",
    },
  );
  await policy.call(failing(429), { operation: "list" });
  await policy.execute(down(503), { operation: "list" });
  await policy.execute(down(503), { operation: "list" });
  const found = await samples(register);
  const is = (name, value) => assert.equal(found[name], value, `${name}: ${JSON.stringify(found, null, 1)}`);
  is('redress_retries{upstream="orders",operation="list",class="RATE_LIMIT"}', 1);
  is('redress_retries{upstream="orders",operation="list",class="SERVER_ERROR"}', 1);
  is('redress_success_after_retries{upstream="orders",operation="list"}', 1);
  for (const event of ["success", "max_attempts_exceeded", "circuit_rejected"]) {
    is(`redress_retry_duration_count{upstream="orders",operation="list",event="${event}"}`, 1);
    is(`redress_retry_duration_bucket{le="+Inf",upstream="orders",operation="list",event="${event}"}`, 1);
  }
  is('redress_retry_sleep_count{upstream="orders",operation="list",class="RATE_LIMIT"}', 1);
  is('redress_events{upstream="orders",operation="list",class="SERVER_ERROR",event="circuit_opened",state="open"}', 1);
  is('redress_circuit_state{upstream="orders"}', 2);
  is('redress_budget_remaining{upstream="orders"}', 3);
  policy.reset();
  assert.equal((await samples(register))['redress_circuit_state{upstream="orders"}'], 0);
});

test("a breaker and a budget have values before the first call", async () => {
  const register = new client.Registry();
  const retrying = { ...retry, budget: new Budget({ ratio: 0.1 }) };
  const policy = new Policy({ circuitBreaker: new CircuitBreaker(), retry: retrying });
  watch(policy, [prometheus(client, { register })], { upstream: "orders" });
  const found = await samples(register);
  assert.equal(found['redress_circuit_state{upstream="orders"}'], 0);
  assert.equal(found['redress_budget_remaining{upstream="orders"}'], 10);
  await policy.call(() => 1);
});

test("several watchers of one registry share its metrics, and policies of one name show the worst of them", async () => {
  const register = new client.Registry();
  const upstream = (remaining) => {
    const budget = new Budget({ maxRetries: remaining });
    const policy = new Policy({ circuitBreaker: new CircuitBreaker(), retry: { ...retry, budget } });
    return watch(policy, [prometheus(client, { register })], { upstream: "orders" });
  };
  const [first, second] = [upstream(7), upstream(4)];
  first.isolate();
  await second.call(failing(503));
  const found = await samples(register);
  assert.equal(found['redress_circuit_state{upstream="orders"}'], 2);
  assert.equal(found['redress_budget_remaining{upstream="orders"}'], 3);
});

test("breakers by key have the key as a label", async () => {
  const register = new client.Registry();
  const circuitBreaker = new Keyed(CircuitBreaker, { capacity: 4, failureThreshold: 1 });
  const policy = watch(new KeyedPolicy({ circuitBreaker, retry }), [prometheus(client, { register })]);
  await policy.at("a.test").execute(down(503));
  await policy.at("b.test").call(() => 1);
  const found = await samples(register);
  assert.equal(found['redress_circuit_state{key="a.test"}'], 2);
  assert.equal(found['redress_retry_duration_count{operation="b.test",event="success"}'], 1);
});

test("an operation with an id in it makes a hundred series, not more", async () => {
  const register = new client.Registry();
  const policy = watch(new RetryPolicy(retry), [prometheus(client, { register })]);
  for (let id = 0; id < 300; id += 1) await policy.call(() => 1, { operation: `GET /items/${id}` });
  const found = await samples(register);
  const series = Object.keys(found).filter((name) => name.startsWith("redress_retry_duration_count"));
  assert.equal(series.length, 101);
  assert.equal(found['redress_retry_duration_count{operation="other",event="success"}'], 200);
});

test("the default registry is that of prom-client, and the module may come as a namespace", async () => {
  const namespace = await import("prom-client");
  await watch(new RetryPolicy(retry), [prometheus(namespace)]).call(() => 1);
  assert.match(await client.register.metrics(), /redress_retry_duration_count{event="success"} 1/);
});
