// Debian's Prometheus scrapes a real service whose upstreams fail, and every query of the package is asked there.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import client from "prom-client";
import {
  Budget,
  backoff,
  CircuitBreaker,
  classify,
  Keyed,
  KeyedPolicy,
  Policy,
  RetryPolicy,
  redressFetch,
} from "redress";
import { prometheus } from "redress/prometheus";
import { watch } from "redress/watch";
import { execute, freePort, readiness, start, stop, stopAll, temporary } from "../lab/processes.mjs";

const DASHBOARDS = join(dirname(createRequire(import.meta.url).resolve("redress/package.json")), "dashboards");
const ALERTS = join(DASHBOARDS, "alerts.yaml");
const dashboard = JSON.parse(readFileSync(join(DASHBOARDS, "grafana.json"), "utf8"));

let upstream;
let service;
let server;
let url;
const load = new AbortController();
let loading;

/** An upstream: `/often` fails every third time, `/down` always, `/hang` never answers. */
async function startUpstream() {
  let requests = 0;
  const listener = createServer((request, response) => {
    if (request.url === "/hang") return;
    requests += 1;
    const fails = request.url === "/down" || (request.url === "/often" && requests % 3 === 0);
    response.writeHead(fails ? 503 : 200).end();
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  return listener;
}

const base = (listener) => `http://127.0.0.1:${listener.address().port}`;

/** What the service calls its upstreams by. */
function clients(address) {
  const watchers = [prometheus(client)];
  const retry = {
    strategy: backoff.fullJitter({ baseMs: 5, maxMs: 20 }),
    maxAttempts: 3,
    resultClassifier: classify.http,
  };
  const often = watch(new RetryPolicy(retry), watchers, { upstream: "often" });
  const budget = new Budget({ maxRetries: 2, windowMs: 3_600_000 });
  const poor = watch(new RetryPolicy({ ...retry, budget }), watchers, { upstream: "poor" });
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 2, recoveryTimeoutMs: 3_600_000 });
  const down = watch(new Policy({ retry, circuitBreaker }), watchers, { upstream: "down" });
  const keyed = new Keyed(CircuitBreaker, { capacity: 10, failureThreshold: 2, recoveryTimeoutMs: 3_600_000 });
  const hosts = watch(new KeyedPolicy({ retry, circuitBreaker: keyed }), watchers, { upstream: "hosts" });
  const slow = watch(new RetryPolicy({ ...retry, deadlineMs: 2_600 }), watchers, { upstream: "slow" });
  const calls = [
    [often, "/often", 20],
    [poor, "/down", 20],
    [down, "/down", 20],
    [hosts, "/down", 20],
    [slow, "/hang", 200],
  ];
  return calls.map(([policy, path, everyMs]) => ({ get: redressFetch(policy), path: address + path, everyMs }));
}

/** Calls all upstreams at their pace until it is aborted. */
async function play(all, signal) {
  const under = new Set();
  const timers = all.map(({ get, path, everyMs }) =>
    setInterval(() => {
      const call = get(path, { signal }).catch(() => {});
      under.add(call);
      call.finally(() => under.delete(call));
    }, everyMs),
  );
  await once(signal, "abort");
  timers.forEach(clearInterval);
  await Promise.all(under);
}

before(async () => {
  upstream = await startUpstream();
  service = createServer(async (_, response) => {
    response.setHeader("content-type", client.register.contentType);
    response.end(await client.register.metrics());
  });
  await once(service.listen(0, "127.0.0.1"), "listening");
  loading = play(clients(base(upstream)), load.signal);

  const folder = temporary("prometheus");
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const config = {
    global: { scrape_interval: "250ms", scrape_timeout: "250ms", evaluation_interval: "250ms" },
    rule_files: [ALERTS],
    scrape_configs: [{ job_name: "service", static_configs: [{ targets: [base(service).slice(7)] }] }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
  const words = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
  server = start("prometheus", [...words, `--web.listen-address=127.0.0.1:${port}`, "--log.level=error"]);
  await readiness(server, async () => assert.equal((await fetch(`${url}/-/ready`)).status, 200));
});

after(async () => {
  load.abort();
  await loading;
  await stop(server);
  await stopAll();
  for (const each of [service, upstream]) {
    each.closeAllConnections();
    each.close();
  }
});

/** The answer of Prometheus to a query as of now. */
async function ask(query) {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
  const { status, error, data } = await response.json();
  assert.equal(status, "success", `${query}: ${error}`);
  return data.result;
}

/** The answer once it has data that is a number. */
async function answered(query) {
  const until = Date.now() + 30_000;
  for (;;) {
    const result = await ask(query);
    const numbers = result.filter(({ value }) => Number.isFinite(Number(value[1])));
    if (numbers.length > 0) return numbers;
    assert.ok(Date.now() < until, `no data: ${query}: ${JSON.stringify(result)}\n${server.printed}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("promtool finds nothing in the alert rules", () => {
  assert.match(execute("promtool", ["check", "rules", ALERTS]), /SUCCESS: 5 rules found/);
});

const exprs = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr, refId }) => [`${title} ${refId}`, expr]),
);
for (const [name, expr] of exprs) {
  test(`dashboard: ${name} has data`, async () => {
    const query = expr.replaceAll("$upstream", ".*").replaceAll("$__rate_interval", "1m");
    assert.ok(!query.includes("$"), query);
    await answered(query);
  });
}

test("dashboard: a panel for one upstream has that alone", async () => {
  const [, expr] = exprs.find(([name]) => name.startsWith("Circuits"));
  const result = await answered(expr.replaceAll("$upstream", "down"));
  assert.deepEqual(
    result.map(({ metric }) => metric),
    [{ upstream: "down" }],
  );
});

test("every alert rule has data while its fault lasts, for the upstream that has it, and is pending or firing", async () => {
  const { data } = await (await fetch(`${url}/api/v1/rules`)).json();
  const expected = {
    RedressCircuitOpen: "down",
    RedressCallsFail: "poor",
    RedressManyRetries: "often",
    RedressBudgetEmpty: "poor",
    RedressSlowCalls: "slow",
  };
  const rules = data.groups.flatMap((group) => group.rules);
  assert.deepEqual(rules.map(({ name }) => name).sort(), Object.keys(expected).sort());
  for (const { name, query } of rules) {
    const having = () =>
      answered(query).then((found) => found.some(({ metric }) => metric.upstream === expected[name]));
    while (!(await having()));
  }
  for (;;) {
    const { data: now } = await (await fetch(`${url}/api/v1/rules`)).json();
    const all = now.groups.flatMap((group) => group.rules);
    for (const { name, lastError } of all) assert.equal(lastError ?? "", "", name);
    if (all.every(({ state }) => state === "pending" || state === "firing")) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

test("the circuit of each host is a series of its own", async () => {
  const host = base(upstream).slice(7);
  const [{ value }] = await answered(`redress_circuit_state{upstream="hosts",key="${host}"} == 2`);
  assert.equal(value[1], "2");
});

test("labels have no value with a path, a query or a port but the operation and the key of a host", async () => {
  const { data } = await (await fetch(`${url}/api/v1/labels`)).json();
  const ours = ["class", "event", "key", "operation", "state", "stop_reason", "upstream"];
  for (const label of ours) assert.ok(data.includes(label), `${label} is missing: ${data}`);
  for (const label of ours.filter((name) => name !== "key" && name !== "operation")) {
    const values = (await (await fetch(`${url}/api/v1/label/${label}/values`)).json()).data;
    for (const value of values) assert.match(value, /^[A-Za-z_]+$/, label);
  }
});
