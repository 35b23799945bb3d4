import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import tracer from "dd-trace";
import { StatsD } from "hot-shots";
import { Budget, backoff, CircuitBreaker, Policy } from "redress";
import { datadog } from "redress/datadog";
import { watch } from "redress/watch";
import { down, failing } from "../lab/faults.mjs";

/** An agent of Datadog as far as UDP goes: the lines that it gets. */
async function startAgent() {
  const socket = createSocket("udp4");
  const lines = [];
  socket.on("message", (message) => lines.push(...String(message).split("\n").filter(Boolean)));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    lines,
    /** Once as many lines are there. */
    async until(count) {
      while (lines.length < count) await once(socket, "message");
      return lines;
    },
    close: () => socket.close(),
  };
}

/** What happens: a retry that helps, then one that does not and opens the breaker. */
async function play(client) {
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
  const retry = { strategy: backoff.constant(0), maxAttempts: 2, budget: new Budget({ maxRetries: 5 }) };
  const policy = watch(new Policy({ retry, circuitBreaker }), [datadog(client)], { upstream: "orders" });
  await policy.call(failing(503), { operation: "list" });
  await policy.execute(down(503), { operation: "list" });
}

/** A line as its name, value and type, and its tags in order. */
const parsed = (line) => {
  const [metric, type, tags = "#"] = line.split("|");
  return { metric, type, tags: tags.slice(1).split(",").sort().join(",") };
};

test("hot-shots sends counters, histograms and gauges to an agent", async () => {
  const agent = await startAgent();
  const client = new StatsD({ host: "127.0.0.1", port: agent.port });
  await play(client);
  const lines = (await agent.until(19)).map(parsed);
  const has = (metric, type, tags) =>
    assert.ok(
      lines.some((line) => line.metric === metric && line.type === type && line.tags === tags),
      `${metric}|${type}|${tags} is not in\n${lines.map((line) => JSON.stringify(line)).join("\n")}`,
    );
  const labels = "operation:list,upstream:orders";
  has("redress.events:1", "c", `class:SERVER_ERROR,event:retry,${labels}`);
  has("redress.retries:1", "c", `class:SERVER_ERROR,${labels}`);
  has("redress.success_after_retries:1", "c", labels);
  has("redress.retry.sleep:0", "h", `class:SERVER_ERROR,${labels}`);
  assert.ok(lines.some(({ metric, type }) => metric.startsWith("redress.retry.duration:") && type === "h"));
  has("redress.circuit.state:0", "g", "upstream:orders");
  has("redress.circuit.state:2", "g", "upstream:orders");
  has("redress.budget.remaining:3", "g", "upstream:orders");
  await new Promise((resolve) => client.close(resolve));
  agent.close();
});

test("dd-trace sends the same by its own client", async () => {
  const agent = await startAgent();
  tracer.init({ hostname: "127.0.0.1", dogstatsd: { port: agent.port }, startupLogs: false, plugins: false });
  await play(tracer.dogstatsd);
  tracer.dogstatsd.flush();
  const lines = await agent.until(8);
  const retries = lines.find((line) => line.startsWith("redress.retries:2|c"));
  assert.match(retries, /upstream:orders/);
  assert.match(retries, /class:SERVER_ERROR/);
  assert.ok(lines.some((line) => line.startsWith("redress.circuit.state:2|g|#")));
  agent.close();
});
