import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, test } from "node:test";
import * as api from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { Budget, backoff, begin, CircuitBreaker, Policy, RetryPolicy, redressFetch } from "redress";
import { openTelemetry } from "redress/opentelemetry";
import { interceptor } from "redress/undici";
import { watch } from "redress/watch";
import { Agent, request } from "undici";
import { deferred, down, failing } from "../lab/faults.mjs";

const retry = { strategy: backoff.constant(0), maxAttempts: 2 };
let spans;
let metricExporter;
let reader;

beforeEach(() => {
  spans = new InMemorySpanExporter();
  metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
  api.trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
  );
  api.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(async () => {
  await reader.shutdown();
  for (const part of [api.trace, api.metrics, api.context]) part.disable();
});

const named = (name) => spans.getFinishedSpans().filter((span) => span.name === name);

/** The data points of the metrics that were exported: by name, those with these attributes. */
async function points(name) {
  await reader.forceFlush();
  const { metrics } = metricExporter
    .getMetrics()
    .at(-1)
    .scopeMetrics.find(({ scope }) => scope.name === "redress");
  const found = metrics.find(({ descriptor }) => descriptor.name === name);
  return found.dataPoints.map(({ attributes, value }) => [attributes, value.count ?? value]);
}

test("a call is a span with an event for each attempt and each event", async () => {
  const policy = watch(new RetryPolicy(retry), [openTelemetry(api)], { upstream: "orders" });
  await policy.call(failing(503), { operation: "list" });
  const [span] = named("redress.call");
  assert.deepEqual(span.attributes, { upstream: "orders", operation: "list", "retry.attempts": 2 });
  assert.deepEqual(
    span.events.map(({ name, attributes }) => [name, attributes]),
    [
      ["attempt", { "retry.attempt": 1 }],
      ["retry", { "retry.attempt": 1, "retry.delay_ms": 0, "error.class": "SERVER_ERROR", "error.type": "Error" }],
      ["attempt", { "retry.attempt": 2 }],
      ["success", { "retry.attempt": 2, "retry.delay_ms": 0 }],
    ],
  );
  assert.equal(span.status.code, api.SpanStatusCode.UNSET);
});

test("a call that fails is a span with status error, class and stop reason", async () => {
  const policy = watch(new RetryPolicy(retry), [openTelemetry(api)]);
  await policy.execute(down(401));
  const [span] = named("redress.call");
  assert.deepEqual(span.status, { code: api.SpanStatusCode.ERROR, message: "permanent_fail" });
  const { attributes } = span;
  assert.deepEqual(attributes, { "retry.attempts": 1, "error.class": "AUTH", stop_reason: "NON_RETRYABLE_CLASS" });
});

test("the span is a child of the caller's, and the spans of an attempt are its children", async () => {
  const tracer = api.trace.getTracer("program");
  const policy = watch(new RetryPolicy(retry), [openTelemetry(api)]);
  const work = failing(503);
  await tracer.startActiveSpan("request", async (request) => {
    await policy.call(async () => {
      const inner = tracer.startSpan("client");
      try {
        return await work();
      } finally {
        inner.end();
      }
    });
    assert.equal(api.trace.getActiveSpan(), request);
    request.end();
  });
  const [request] = named("request");
  const [call] = named("redress.call");
  assert.equal(call.parentSpanContext.spanId, request.spanContext().spanId);
  const parents = named("client").map(({ parentSpanContext }) => parentSpanContext.spanId);
  assert.deepEqual(parents, [call.spanContext().spanId, call.spanContext().spanId]);
});

test("calls at once have spans of their own", async () => {
  const policy = watch(new RetryPolicy(retry), [openTelemetry(api)]);
  const gates = Array.from({ length: 50 }, deferred);
  const calls = gates.map(({ promise }, id) => policy.call(() => promise, { operation: `job ${id % 5}` }));
  for (const { resolve } of gates.toReversed()) resolve();
  await Promise.all(calls);
  const found = named("redress.call");
  assert.equal(found.length, 50);
  assert.ok(found.every(({ events }) => events.length === 2));
});

test("a call that is aborted during an attempt, during a delay, or before it begins ends its span", async () => {
  const policy = watch(new RetryPolicy({ ...retry, strategy: backoff.constant(60_000), deadlineMs: null }), [
    openTelemetry(api),
  ]);
  const first = new AbortController();
  const during = policy.execute(() => new Promise(() => {}), { signal: first.signal });
  first.abort();
  await during;
  const second = new AbortController();
  const delayed = deferred();
  const waiting = policy.execute(down(503), { signal: second.signal, beforeSleep: delayed.resolve });
  await delayed.promise;
  second.abort();
  await waiting;
  await policy.execute(() => 1, { signal: second.signal });
  const ends = named("redress.call").map(({ status, events }) => [status.message, events.map(({ name }) => name)]);
  assert.deepEqual(ends, [
    ["aborted", ["attempt", "aborted"]],
    ["aborted", ["attempt", "retry", "aborted"]],
    ["aborted", ["aborted"]],
  ]);
});

test("a rejection, and a breaker of the program's own that fails, are spans, too", async () => {
  const circuitBreaker = new CircuitBreaker();
  circuitBreaker.isolate();
  await watch(new Policy({ circuitBreaker }), [openTelemetry(api)]).execute(() => 1);
  const circuit = { admit: () => Promise.reject(new TypeError("no answer")), settle: () => null };
  await assert.rejects(watch(new Policy({ circuitBreaker: circuit }), [openTelemetry(api)]).call(() => 1));
  const ends = named("redress.call").map(({ status, ended }) => [status.message, ended]);
  assert.deepEqual(ends, [
    ["circuit_rejected", true],
    ["TypeError", true],
  ]);
});

test("a call step by step ends its span by its last event, or once it was cancelled and is collected", async () => {
  const policy = watch(new RetryPolicy(retry), [openTelemetry(api)]);
  const call = begin(policy);
  call.start();
  call.succeed(1);
  await Promise.resolve();
  assert.equal(named("redress.call").length, 1);
  (() => {
    const cancelled = begin(policy);
    cancelled.start();
    cancelled.cancel();
  })();
  while (named("redress.call").length < 2) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(
    named("redress.call")[1].events.map(({ name }) => name),
    ["attempt", "cancelled"],
  );
});

test("what a client of an adapter does in an attempt is a child of the call's span", async () => {
  const answers = [503, 200];
  const server = createServer((_, response) => response.writeHead(answers.shift()).end());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const policy = watch(new RetryPolicy(retry), [openTelemetry(api)], { upstream: "orders" });
  // As an instrumented client does: a span within whatever is the current one.
  const instrumented = (dispatch) => (options, handler) => {
    api.trace.getTracer("client").startSpan("client").end();
    return dispatch(options, handler);
  };
  const dispatcher = new Agent().compose(instrumented, interceptor(policy));
  const { statusCode, body } = await request(`http://127.0.0.1:${server.address().port}/items/17`, { dispatcher });
  await body.dump();
  await dispatcher.close();
  server.close();
  assert.equal(statusCode, 200);
  const [call] = named("redress.call");
  assert.equal(call.attributes["retry.attempts"], 2);
  const parents = named("client").map(({ parentSpanContext }) => parentSpanContext?.spanId);
  assert.deepEqual(parents, [call.spanContext().spanId, call.spanContext().spanId]);
});

test("redressFetch makes a span for each request", async () => {
  const policy = watch(new RetryPolicy(retry), [openTelemetry(api)]);
  const answers = [503, 200];
  const get = redressFetch(policy, { fetch: async () => new Response("", { status: answers.shift() }) });
  assert.equal((await get("https://api.test/items/17")).status, 200);
  await Promise.resolve();
  const [span] = named("redress.call");
  assert.equal(span.attributes.operation, "GET api.test");
  assert.equal(span.attributes["retry.attempts"], 2);
});

test("a breaker that is opened by hand makes no span, and its state is in the gauge", async () => {
  const circuitBreaker = new CircuitBreaker();
  const policy = watch(new Policy({ circuitBreaker }), [openTelemetry(api)], { upstream: "orders" });
  await policy.call(() => 1);
  policy.trip();
  policy.reset();
  policy.isolate();
  assert.equal(named("redress.call").length, 1);
  assert.deepEqual(await points("redress.circuit.state"), [[{ upstream: "orders" }, 2]]);
});

test("counters, histograms and gauges are those of the README", async () => {
  const budget = new Budget({ maxRetries: 5 });
  const policy = watch(new RetryPolicy({ ...retry, budget }), [openTelemetry(api)], { upstream: "orders" });
  await policy.call(failing(429), { operation: "list" });
  await policy.execute(down(503), { operation: "list" });
  const labels = { upstream: "orders", operation: "list" };
  assert.deepEqual(await points("redress.retries"), [
    [{ ...labels, class: "RATE_LIMIT" }, 1],
    [{ ...labels, class: "SERVER_ERROR" }, 1],
  ]);
  assert.deepEqual(await points("redress.success_after_retries"), [[labels, 1]]);
  assert.deepEqual(await points("redress.retry.duration"), [
    [{ ...labels, event: "success" }, 1],
    [{ ...labels, event: "max_attempts_exceeded" }, 1],
  ]);
  assert.deepEqual(await points("redress.budget.remaining"), [[{ upstream: "orders" }, 3]]);
  const events = (await points("redress.events")).map(([{ event, stop_reason: reason }, value]) => [
    event,
    reason,
    value,
  ]);
  assert.deepEqual(events, [
    ["retry", undefined, 1],
    ["success", undefined, 1],
    ["retry", undefined, 1],
    ["max_attempts_exceeded", "MAX_ATTEMPTS_GLOBAL", 1],
  ]);
});

test("a tracer and a meter of the program's own take the place of the global ones", async () => {
  const own = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: own })] });
  await watch(new RetryPolicy(retry), [openTelemetry(api, { tracer: provider.getTracer("own") })]).call(() => 1);
  assert.equal(own.getFinishedSpans().length, 1);
  assert.equal(named("redress.call").length, 0);
});

test("over OTLP a server gets the spans and the metrics", async () => {
  const got = {};
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    got[request.url] = JSON.parse(Buffer.concat(parts).toString());
    response.setHeader("content-type", "application/json");
    response.end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const traces = new TracerProvider({
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${url}/v1/traces` }) })],
  });
  const exporter = new OTLPMetricExporter({ url: `${url}/v1/metrics` });
  const metrics = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  const watcher = openTelemetry(api, { tracer: traces.getTracer("redress"), meter: metrics.getMeter("redress") });
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
  const policy = watch(new Policy({ retry, circuitBreaker }), [watcher], { upstream: "orders" });
  await policy.execute(down(503), { operation: "list" });
  await Promise.all([traces.forceFlush(), metrics.forceFlush()]);
  await Promise.all([traces.shutdown(), metrics.shutdown()]);
  server.closeAllConnections();
  server.close();

  const [span] = got["/v1/traces"].resourceSpans[0].scopeSpans[0].spans;
  assert.equal(span.name, "redress.call");
  assert.equal(span.status.message, "max_attempts_exceeded");
  assert.deepEqual(
    span.events.map(({ name }) => name),
    ["attempt", "retry", "attempt", "max_attempts_exceeded", "circuit_opened"],
  );
  const sent = got["/v1/metrics"].resourceMetrics[0].scopeMetrics[0].metrics;
  const names = ["events", "retries", "retry.duration", "retry.sleep", "circuit.state"].map(
    (name) => `redress.${name}`,
  );
  assert.deepEqual(sent.map(({ name }) => name).sort(), names.sort());
  const { unit, histogram } = sent.find(({ name }) => name === "redress.retry.duration");
  assert.equal(unit, "s");
  assert.equal(Number(histogram.dataPoints[0].count), 1);
  assert.equal(histogram.dataPoints[0].explicitBounds.at(-1), 60);
  assert.equal(
    Number(
      sent.find(({ name }) => name === "redress.circuit.state").gauge.dataPoints[0].asInt ??
        sent.find(({ name }) => name === "redress.circuit.state").gauge.dataPoints[0].asDouble,
    ),
    2,
  );
});
