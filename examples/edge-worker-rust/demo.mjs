// A worker in front of one origin: it is well, then flaky, then down, then well again.

import { setTimeout } from "node:timers/promises";
import { startOrigin } from "../edge-worker/origin.mjs";
import { startEdge } from "./edge.mjs";

const origin = await startOrigin();
const edge = await startEdge();
const { host } = new URL(origin.url);

async function phase(name, behave) {
  origin.behave = behave;
  const before = origin.requests.length;
  const answers = {};
  for (let n = 0; n < 20; n += 1) {
    const response = await edge.fetch(`/${host}/page/${n}`);
    await response.text();
    const after = response.headers.get("retry-after");
    const answer = after === null ? `${response.status}` : `${response.status} (Retry-After ${after})`;
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
  const list = Object.entries(answers).map(([answer, count]) => `${count} x ${answer}`);
  const reached = origin.requests.length - before;
  console.log(`${name.padEnd(20)} ${String(reached).padStart(3)} reached the origin   callers got ${list.join(", ")}`);
}

console.log("20 requests in each phase\n");
await phase("well", () => 200);
await phase("every third fails", (n) => (n % 3 === 0 ? 503 : 200));
await phase("down", () => 503);
// As long as the breaker stays open.
await setTimeout(5_100);
await phase("well again", () => 200);
await edge.stop();
await origin.stop();
