// The service under load: first all is well, then prices fail now and then, then they are
// down. Ends with a SIGTERM to itself, while requests are under way.

import { setTimeout } from "node:timers/promises";
import { startService } from "./service.mjs";
import { startUpstreams } from "./upstream.mjs";

const { catalog, prices } = await startUpstreams();
const service = await startService({ catalogUrl: catalog.url, pricesUrl: prices.url });
console.log(`service at ${service.url}, catalog at ${catalog.url}, prices at ${prices.url}\n`);
console.log("phase                        answers                    reached catalog  prices  of 200");

async function load(phase, behave) {
  prices.behave = behave;
  const before = [catalog.requests, prices.requests];
  const statuses = {};
  await Promise.all(
    Array.from({ length: 200 }, async (_, id) => {
      await setTimeout(id * 5);
      const { status } = await fetch(`${service.url}/product/${id}`);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }),
  );
  const reached = [catalog.requests - before[0], prices.requests - before[1]];
  const answers = Object.entries(statuses)
    .map(([status, count]) => `${count} x ${status}`)
    .join(", ");
  console.log(
    `${phase.padEnd(28)} ${answers.padEnd(26)} ${String(reached[0]).padStart(15)} ${String(reached[1]).padStart(7)}`,
  );
}

await load("all is well", () => "ok");
await load("every 20th price fails", (n) => (n % 20 === 0 ? "fail" : "ok"));
await load("prices are down", () => "fail");

prices.behave = () => "hang";
// As long as the breaker stays open.
await setTimeout(2_100);
const pending = fetch(`${service.url}/product/1`).then(
  async (response) => `${response.status} ${await response.text()}`,
);
await prices.next();
process.once("SIGTERM", async () => {
  const told = performance.now();
  await service.stop();
  console.log(`\nSIGTERM with a call in flight: it got ${await pending}`);
  console.log(`stopped after ${(performance.now() - told).toFixed(0)} ms`);
  await Promise.all([catalog.stop(), prices.stop()]);
});
process.kill(process.pid, "SIGTERM");
