// Two isolates in front of one origin: it is well, then flaky, then down, then well again.

import { setTimeout } from "node:timers/promises";
import { startEdge } from "./edge.mjs";
import { startOrigin } from "./origin.mjs";

const origin = await startOrigin();
const edge = await startEdge({ origin: origin.url, isolates: 2 });

async function phase(name, behave, requests = 20) {
  origin.behave = behave;
  const before = origin.requests.length;
  const answers = {};
  for (let n = 0; n < requests; n += 1) {
    const response = await edge.fetch(`/page/${n}`, {}, n % 2);
    await response.text();
    const after = response.headers.get("retry-after");
    const answer = after === null ? `${response.status}` : `${response.status} (Retry-After ${after})`;
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
  const list = Object.entries(answers)
    .map(([answer, count]) => `${count} x ${answer}`)
    .join(", ");
  console.log(
    `${name.padEnd(24)} ${String(origin.requests.length - before).padStart(3)} reached the origin   callers got ${list}`,
  );
}

console.log(`20 requests in each phase, through two isolates\n`);
await phase("well", () => 200);
await phase("every third fails", (n) => (n % 3 === 0 ? 503 : 200));
await phase("down", () => 503);
// As long as the breaker stays open.
await setTimeout(5_100);
await phase("well again", () => 200);

origin.behave = (_n, path) =>
  path === "/deliver" && origin.requests.filter((r) => r.path === path).length === 1 ? 429 : 200;
origin.retryAfter = "2";
await edge.fetch("/jobs", { method: "POST", body: "send the letter" });
const deliveries = () => origin.requests.filter(({ path }) => path === "/deliver");
while (deliveries().length < 2) await origin.next();
const [first, second] = deliveries();
console.log(
  `\na job: told to wait 2 s by the origin, delivered ${((second.atMs - first.atMs) / 1_000).toFixed(1)} s later by the queue`,
);
await edge.stop();
await origin.stop();
