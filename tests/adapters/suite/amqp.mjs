// `redress/amqp` with amqplib on a real RabbitMQ: a hundred jobs with faults, consumers that are killed, and what a copy carries.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import amqp from "amqplib";
import { Policy } from "redress";
import { consumer } from "redress/amqp";
import { startRabbit } from "../lab/brokers.mjs";
import { assert, run, test } from "../lab/harness.mjs";
import { COUNT, checkJobs, startUpstream } from "../lab/jobs.mjs";
import { stopAll } from "../lab/processes.mjs";
import { startWorkers } from "../lab/workers.mjs";

const WORKER = join(dirname(dirname(fileURLToPath(import.meta.url))), "lab", "amqp-worker.mjs");
const rabbit = await startRabbit();
const address = rabbit.address("admin");
const connection = await amqp.connect(address);
let count = 0;

/** A channel with a queue of its own, one for what was dead-lettered, and one for what is done. */
async function queues({ cleanup }, more = {}) {
  const queue = `jobs-${(count += 1)}`;
  const channel = await connection.createConfirmChannel();
  channel.on("error", () => {});
  cleanup(() => channel.close().catch(() => {}));
  await channel.assertQueue(`${queue}.dead`);
  await channel.assertQueue(`${queue}.done`);
  await channel.assertQueue(queue, more);
  return { queue, channel, deadLetter: { exchange: "", routingKey: `${queue}.dead` } };
}

/** The messages of a queue, as they come: `next` is the next one. */
async function reader(channel, queue) {
  const [come, waiting] = [[], []];
  await channel.consume(
    queue,
    (message) => (waiting.length > 0 ? waiting.shift()(message) : come.push(message)),
    { noAck: true },
  );
  return { next: async () => come.shift() ?? new Promise((resolve) => waiting.push(resolve)) };
}

test("amqp: a hundred jobs with faults have the attempts, delays and deadlines of their policies, across six killed consumers", async (lab) => {
  const { queue, channel, deadLetter } = await queues(lab);
  const kills = ["10/1", "21/1", "32/2", "53/4", "69/3", "85/2"];
  let workers;
  const upstream = await startUpstream(lab, kills, (worker) => workers.kill(worker));
  workers = await startWorkers(WORKER, 3, { queue, address, url: upstream.url, deadLetter }, lab);
  const ends = new Map();
  const twice = [];
  let over;
  const all = new Promise((resolve) => (over = resolve));
  const ended = (message, end) => {
    const { id } = JSON.parse(message.content);
    if (ends.has(id)) twice.push(id);
    ends.set(id, end);
    if (ends.size === COUNT) over();
  };
  await channel.consume(`${queue}.done`, (message) => ended(message, "done"), { noAck: true });
  await channel.consume(
    deadLetter.routingKey,
    (message) => ended(message, message.properties.headers["x-redress-stop-reason"]),
    { noAck: true },
  );
  for (let id = 0; id < COUNT; id += 1)
    channel.publish("", queue, Buffer.from(JSON.stringify({ id })), { persistent: true, messageId: `job-${id}` });
  await all;
  assert.equal(upstream.killed.size, kills.length);
  checkJobs(upstream, ends, { copies: true });
  // What a killed consumer had not acknowledged may come twice; nothing else does.
  for (const id of twice) assert.ok(upstream.requests.some((asked) => asked.id === id && upstream.killed.has(asked.worker)));
}, 60_000);

try {
  await run();
} finally {
  await connection.close().catch(() => {});
  await stopAll();
}
