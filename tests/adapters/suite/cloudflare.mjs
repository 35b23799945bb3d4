// `redress/cloudflare` with the queues of miniflare: a hundred jobs with faults, and invocations that end in the middle. The
// queues are in the process that runs the worker, so that it cannot be killed without them.

import { once } from "node:events";
import { createServer } from "node:http";
import { Policy } from "redress";
import { consumer } from "redress/cloudflare";
import { assert, run, test } from "../lab/harness.mjs";
import { COUNT } from "../lab/jobs.mjs";
import { checkJobs, startUpstream } from "../lab/jobs-upstream.mjs";
import { startWorker } from "../lab/workerd.mjs";

/** What the worker says of ends: `next` is the next one. */
async function startEnds({ cleanup }) {
  const [told, waiting] = [[], []];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const one = JSON.parse(text);
    if (waiting.length > 0) waiting.shift()(one);
    else told.push(one);
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  const next = async () => told.shift() ?? new Promise((resolve) => waiting.push(resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, next };
}

/** A worker with its queues; `send` gives bodies to one of them. */
async function queues(lab, upstream) {
  const ends = await startEnds(lab);
  const batches = { maxBatchSize: 10, maxBatchTimeout: 0.05, maxRetries: 20 };
  const settings = {
    bindings: { UPSTREAM: upstream?.url ?? "", ENDS: ends.url },
    queueProducers: { JOBS: "jobs", DEAD: "dead", OTHERS: "others" },
    queueConsumers: { jobs: batches, dead: batches, others: { ...batches, maxRetries: 1, deadLetterQueue: "dead" } },
  };
  const miniflare = await startWorker("jobs-worker.mjs", settings, lab);
  const send = (queue, bodies) =>
    miniflare.dispatchFetch(`http://worker.test/?queue=${queue}`, { method: "POST", body: JSON.stringify(bodies) });
  return { ends, send };
}

test("cloudflare: a hundred jobs with faults have the attempts, delays and deadlines of their policies, across six invocations that end", async (lab) => {
  const kills = ["10/1", "21/1", "32/2", "53/4", "69/3", "85/2"];
  const upstream = await startUpstream(lab, kills, () => 299);
  const { ends, send } = await queues(lab, upstream);
  await send(
    "JOBS",
    Array.from({ length: COUNT }, (_, id) => ({ id })),
  );
  const found = new Map();
  while (found.size < COUNT) {
    const { id, end } = await ends.next();
    found.set(id, end);
  }
  assert.equal(upstream.killed.size, kills.length);
  checkJobs(upstream, found, { copies: true });
}, 60_000);

test("cloudflare: what is left of a delay longer than twelve hours is waited for, and the job goes on", async (lab) => {
  const upstream = await startUpstream(lab);
  const { ends, send } = await queues(lab, upstream);
  const resume = { attempts: 1, failures: {}, previousSleepMs: 900, elapsedMs: 900, remainingMs: 9_000 };
  const began = Date.now();
  await send("JOBS", [{ id: 1, redress: { resume, leftMs: 900 } }]);
  assert.deepEqual(await ends.next(), { id: 1, end: "done" });
  assert.deepEqual(
    upstream.requests.map(({ attempt }) => attempt),
    [2],
  );
  assert.ok(upstream.requests[0].at - began >= 900);
});

test("cloudflare: a dead letter has its body and why; without a queue for it, it is reported", async (lab) => {
  const upstream = await startUpstream(lab);
  const { ends, send } = await queues(lab, upstream);
  await send("JOBS", [{ id: 4, tenant: 7 }]);
  const redress = { stopReason: "NON_RETRYABLE_CLASS", class: "PERMANENT", attempts: 1, error: "status 404" };
  assert.deepEqual((await ends.next()).dead, { id: 4, tenant: 7, redress });
  await send("OTHERS", [{ says: "no" }]);
  const { body, says } = await ends.next();
  assert.deepEqual(body, { says: "no" });
  assert.match(says, /^MAX_ATTEMPTS_GLOBAL, UNKNOWN, after 1 attempt: no$/);
});

test("cloudflare: a body that is no object is given back until the queue itself dead-letters it", async (lab) => {
  const { ends, send } = await queues(lab);
  await send("OTHERS", ["text"]);
  const told = [await ends.next(), await ends.next(), await ends.next()];
  assert.deepEqual(
    told.map(({ says, dead }) => says?.split(":")[0] ?? dead),
    ["message.body", "message.body", "text"],
  );
});

test("cloudflare: what is wrong with options is said at once", () => {
  const policy = new Policy();
  const queue = (env) => env.JOBS;
  for (const [wrong, path] of [
    [() => consumer(policy, () => 1, { deadLetter: null }), "consumer.queue"],
    [() => consumer(policy, () => 1, { queue }), "consumer.deadLetter"],
    [() => consumer(7, () => 1, { queue, deadLetter: null }), "consumer.policy"],
    [() => consumer(policy, undefined, { queue, deadLetter: null }), "consumer.operation"],
  ]) {
    assert.throws(wrong, (error) => error.path === path);
  }
});

await run();
