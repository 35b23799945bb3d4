// The service under load, while one upstream after another fails. It ends with SIGTERM while a request is under way, and says what
// did not hold. With Prometheus it draws what that has seen: picture.svg.

import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { startService } from "../src/service.js";
import { startTracing } from "../src/telemetry.js";
import { draw } from "./picture.js";
import { startPostgres, startPrometheus, startRedis } from "./processes.js";
import { startCollector, startPrices } from "./servers.js";

const postgres = await startPostgres();
const redis = await startRedis();
const prices = await startPrices();
const collector = await startCollector();
const tracing = startTracing(collector.url);
const addresses = {
  database: `postgres://shop@127.0.0.1:${postgres.port}/postgres`,
  redis: `redis://127.0.0.1:${redis.port}`,
  prices: prices.url,
};
const service = await startService(addresses, { level: "silent" });
const prometheus = await startPrometheus(service.url.slice(7));
const began = Date.now();
const marks: { at: number; name: string }[] = [];
const broken: string[] = [];
/** How many requests each phase has. */
const COUNT = 100;

/** Says what must hold. */
function expect(holds: boolean, what: string): void {
  if (!holds) broken.push(what);
}

console.log("phase                               answers                      p50 ms  p99 ms  retries");

/** 100 requests, 20 ms apart, `during` which something happens; how many of each status came. */
async function load(phase: string, during: () => unknown = () => {}): Promise<Record<string, number>> {
  marks.push({ at: Date.now(), name: phase });
  const statuses: Record<string, number> = {};
  const times: number[] = [];
  const before = await sumOf("redress_retries");
  const requests = Array.from({ length: COUNT }, async (_, id) => {
    await setTimeout(id * 20);
    const start = performance.now();
    const response = await fetch(`${service.url}/product/${id}`);
    await response.text();
    times.push(performance.now() - start);
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
  });
  await Promise.all([...requests, during()]);
  times.sort((a, b) => a - b);
  const answers = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
  const quantile = (share: number) => (times[Math.floor(share * times.length)] ?? 0).toFixed(0).padStart(7);
  const more = String((await sumOf("redress_retries")) - before).padStart(8);
  console.log(`${phase.padEnd(35)} ${answers.join(", ").padEnd(28)}${quantile(0.5)} ${quantile(0.99)} ${more}`);
  return statuses;
}

/** A counter of the service, over all its labels. */
async function sumOf(counter: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const lines = text.matchAll(new RegExp(`^${counter}\\{.*\\} (\\d+)$`, "gm"));
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Waits until a product is answered again, as it is once the breakers have closed. */
async function wellAgain(): Promise<void> {
  const late = Date.now() + 20_000;
  for (;;) {
    const answers = await Promise.all([1, 2, 3].map((id) => fetch(`${service.url}/product/${id}`)));
    await Promise.all(answers.map((answer) => answer.text()));
    if (answers.every(({ ok }) => ok)) return;
    if (Date.now() > late)
      throw new Error(`it is not well again: ${await (await fetch(`${service.url}/health`)).text()}`);
    await setTimeout(100);
  }
}

const isDown = (statuses: Record<string, number>) => (statuses["502"] ?? 0) + (statuses["503"] ?? 0);

await wellAgain();
let answers = await load("all is well");
expect(answers["200"] === COUNT, "all is well: every request is answered");
prices.behave = (n) => (n % 20 === 0 ? "fail" : "ok");
answers = await load("every 20th price fails");
expect(answers["200"] === COUNT, "every 20th price fails: retries hide it");

prices.behave = () => "fail";
answers = await load("prices are down");
expect(isDown(answers) === COUNT, "prices are down: every request is told so");
const earned = (await sumOf("redress_retry_duration_count")) / 10 + 10 + (Date.now() - began) / 1_000;
const made = await sumOf("redress_retries");
expect(made <= earned, `prices are down: ${made} retries are no more than the budget has earned, ${earned}`);
prices.behave = () => "ok";
await wellAgain();

prices.behave = () => "hang";
answers = await load("prices hang");
expect(isDown(answers) === COUNT, "prices hang: every request is told so");
prices.behave = () => "ok";
await wellAgain();

answers = await load("PostgreSQL crashes and restarts", async () => {
  await setTimeout(500);
  await postgres.kill();
  await setTimeout(500);
  await postgres.start();
});
expect((answers["200"] ?? 0) > COUNT / 10, "PostgreSQL crashes: what was asked before is answered");
await wellAgain();

answers = await load("Redis is killed and restarts", async () => {
  await setTimeout(500);
  await redis.kill();
  await setTimeout(500);
  await redis.start();
});
expect((answers["200"] ?? 0) > COUNT / 10, "Redis is killed: what was asked before is answered");
await wellAgain();

answers = await load("Redis hangs", async () => {
  await setTimeout(500);
  redis.hold();
  await setTimeout(1_000);
  redis.resume();
});
expect((answers["200"] ?? 0) > COUNT / 2, "Redis hangs for a second: retries hide it from most");
await wellAgain();
answers = await load("all is well again");
expect(answers["200"] === COUNT, "all is well again: every request is answered");

if (prometheus !== undefined) {
  await setTimeout(1_000);
  const file = await draw(`http://127.0.0.1:${prometheus.port}`, { from: began, to: Date.now(), marks });
  console.log(`\n${file}: what Prometheus has seen`);
}

prices.behave = () => "hang";
const pending = fetch(`${service.url}/product/1`).then(
  async (response) => `${response.status} ${await response.text()}`,
);
await prices.next();
await new Promise<void>((resolve) => {
  process.once("SIGTERM", async () => {
    const told = performance.now();
    await service.stop(100);
    console.log(`\nSIGTERM with a request in flight: it got ${await pending}`);
    const took = performance.now() - told;
    console.log(`stopped after ${took.toFixed(0)} ms`);
    expect(took < 2_000, "it stops in time");
    resolve();
  });
  process.kill(process.pid, "SIGTERM");
});
await tracing.end();

const calls = collector.spans.filter(({ name }) => name === "redress.call");
const requests = new Set(collector.spans.filter(({ name }) => name.startsWith("GET ")).map(({ spanId }) => spanId));
const failed = calls.filter(({ status }) => status.message !== undefined).length;
console.log(`${calls.length} spans of calls over OTLP, ${failed} of them failed`);
expect(calls.length > 2_000, "three calls for each request are spans");
expect(
  calls.every(({ parentSpanId }) => requests.has(parentSpanId ?? "")),
  "each is a child of its request's",
);

await Promise.all([postgres.stop(), redis.stop(), prices.stop(), collector.stop(), prometheus?.stop()]);
for (const what of broken) console.log(`DOES NOT HOLD: ${what}`);
process.exit(broken.length === 0 ? 0 : 1);
