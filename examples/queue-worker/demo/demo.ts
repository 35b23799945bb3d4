// Jobs while a worker is killed, Redis restarts and the service is out. It prints a table, and says what did not hold. With --short
// the outage takes three seconds in place of a minute.

import { setTimeout } from "node:timers/promises";
import { Queue, QueueEvents } from "bullmq";
import { type Charge, QUEUE } from "../src/worker.js";
import { startRedis, startWorkers } from "./processes.js";
import { startService } from "./service.js";

const isShort = process.argv.includes("--short");
const OUTAGE_MS = isShort ? 3_000 : 60_000;
/** Jobs of each phase, and how far they are apart. */
const [COUNT, EVERY_MS] = isShort ? [30, 20] : [100, 50];

const redis = await startRedis();
const service = await startService();
const workers = await startWorkers(2, { REDIS_URL: redis.url, SERVICE_URL: service.url });
const connection = { url: redis.url, maxRetriesPerRequest: null };
const queue = new Queue<Charge>(QUEUE, { connection });
const events = new QueueEvents(QUEUE, { connection });
// While Redis is away they connect anew by themselves.
queue.on("error", () => {});
events.on("error", () => {});
await events.waitUntilReady();
/** The jobs that are acknowledged: BullMQ says that they are completed. */
const acknowledged = new Set<string>();
const failed = new Map<string, string>();
let latest = 0;
let changed = () => {};
events.on("completed", ({ jobId }) => {
  acknowledged.add(jobId);
  changed();
});
events.on("failed", ({ jobId, failedReason }) => {
  failed.set(jobId, failedReason);
  changed();
});

const broken: string[] = [];
/** Says what must hold. */
function expect(holds: boolean, what: string): void {
  if (!holds) broken.push(what);
}

console.log("phase                            jobs  completed  failed  requests  retries  repeated  seconds");

/** Adds jobs, `during` which something happens, and waits until all of them have ended. */
async function phase(name: string, during: () => Promise<void> = async () => {}): Promise<void> {
  const began = Date.now();
  const before = {
    done: acknowledged.size,
    failed: failed.size,
    asked: service.requests.length,
    again: service.repeated,
  };
  const adds = Array.from({ length: COUNT }, async (_, at) => {
    const id = `charge-${(latest += 1)}`;
    await setTimeout(at * EVERY_MS);
    // By its id it is added once, also if Redis is killed after the first answer was lost.
    await queue.add("charge", { id, cents: 100 + at }, { jobId: id });
  });
  await Promise.all([...adds, during()]);
  await new Promise<void>((resolve) => {
    changed = () => {
      if (acknowledged.size + failed.size >= latest) resolve();
    };
    changed();
  });
  const asked = service.requests.slice(before.asked);
  const numbers: [number, number][] = [
    [COUNT, 6],
    [acknowledged.size - before.done, 11],
    [failed.size - before.failed, 8],
    [asked.length, 10],
    [asked.filter(({ attempt }) => attempt > 1).length, 9],
    [service.repeated - before.again, 10],
    [Math.round((Date.now() - began) / 1_000), 9],
  ];
  console.log(name.padEnd(31) + numbers.map(([number, width]) => String(number).padStart(width)).join(""));
}

await phase("all is well");
await phase("a worker is killed in mid-job", async () => {
  const { worker } = await service.holdNext();
  await workers.kill(worker);
});
expect(service.repeated > 0, "a worker is killed: the job that it had is done by another one");
await phase("Redis is killed and restarts", async () => {
  await setTimeout((COUNT * EVERY_MS) / 3);
  await redis.kill();
  await setTimeout(500);
  await redis.start();
});
const before = service.requests.length;
await phase(`the service is out for ${OUTAGE_MS / 1_000} s`, async () => {
  service.isOut = true;
  await setTimeout(OUTAGE_MS);
  service.isOut = false;
});
const during = service.requests.length - before;
expect(during < COUNT * 4, `the service is out: ${during} requests are fewer than four for each job`);
await phase("all is well again");

const done = await queue.getCompleted();
const lost = latest - done.length - (await queue.getFailed()).length;
const finished = new Map(done.map(({ id, finishedOn }) => [id, finishedOn]));
const again = service.requests.filter(({ id, at }) => at > (finished.get(id) ?? Number.POSITIVE_INFINITY));
console.log(`\n${latest} jobs: ${done.length} completed, ${failed.size} failed, ${lost} lost`);
console.log(`${again.length} requests for a job that was acknowledged before`);
expect(lost === 0 && done.length === latest, "every job is completed");
expect(service.charged.size === latest, "every charge is made");
expect(again.length === 0, "nothing that was acknowledged is done again");
for (const [id, why] of failed) broken.push(`${id} has failed: ${why}`);

await workers.end();
await Promise.all([queue.close(), events.close()]);
service.stop();
await redis.kill();
for (const what of broken) console.log(`DOES NOT HOLD: ${what}`);
process.exit(broken.length === 0 ? 0 : 1);
