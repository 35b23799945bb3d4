// `redress/amqp` with amqplib on a real RabbitMQ: a hundred jobs with faults, consumers that are killed, and what a copy carries.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import amqp from "amqplib";
import { backoff, Policy } from "redress";
import { consumer } from "redress/amqp";
import { startRabbit } from "../lab/brokers.mjs";
import { assert, run, test } from "../lab/harness.mjs";
import { COUNT } from "../lab/jobs.mjs";
import { checkJobs, startUpstream } from "../lab/jobs-upstream.mjs";
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
  await channel.consume(queue, (message) => (waiting.length > 0 ? waiting.shift()(message) : come.push(message)), {
    noAck: true,
  });
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
  for (const id of twice)
    assert.ok(upstream.requests.some((asked) => asked.id === id && upstream.killed.has(asked.worker)));
}, 60_000);

/** A consumer in this process; `errors` is what it reports. */
async function consuming(lab, policy, operation, { options = {}, queue: more } = {}) {
  const all = await queues(lab, more);
  const { queue, channel, deadLetter } = all;
  const errors = [];
  const onError = (error) => errors.push(error);
  const run = consumer(channel, policy, operation, { queue, deadLetter, onError, ...options });
  const { consumerTag } = await channel.consume(queue, run);
  const send = (body, properties = {}) => channel.publish("", queue, Buffer.from(body), properties);
  return { ...all, errors, send, consumerTag, dead: await reader(channel, deadLetter.routingKey) };
}

const busy = () => Object.assign(new Error("busy"), { status: 503 });
const retrying = (strategy, more) => new Policy({ retry: { strategy, maxAttempts: 3, ...more } });

test("amqp: a copy has the properties and headers of its message, and a dead letter says why", async (lab) => {
  const seen = [];
  const operation = ({ content, properties }, { attempt }) => {
    seen.push([String(content), attempt, properties.messageId, properties.contentType, properties.headers.tenant]);
    throw busy();
  };
  const { send, dead, errors } = await consuming(
    lab,
    retrying(() => 20),
    operation,
  );
  const properties = {
    messageId: "m1",
    contentType: "text/plain",
    headers: { tenant: 7, CC: ["elsewhere"] },
    deliveryMode: 2,
  };
  send("hello", properties);
  const { content, properties: last } = await dead.next();
  assert.deepEqual(
    seen,
    [1, 2, 3].map((attempt) => ["hello", attempt, "m1", "text/plain", 7]),
  );
  const { "x-redress-copy": _, ...headers } = last.headers;
  assert.deepEqual(headers, {
    tenant: 7,
    "x-redress-stop-reason": "MAX_ATTEMPTS_GLOBAL",
    "x-redress-class": "SERVER_ERROR",
    "x-redress-attempts": 3,
    "x-redress-error": "busy",
  });
  assert.deepEqual([String(content), last.messageId, last.deliveryMode, errors], ["hello", "m1", 2, []]);
});

test("amqp: without deadLetter the queue's own exchange has what was stopped", async (lab) => {
  const { queue, channel } = await queues(lab);
  const own = `${queue}.own`;
  const args = { arguments: { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": `${queue}.dead` } };
  await channel.assertQueue(own, args);
  await channel.consume(
    own,
    consumer(
      channel,
      retrying(() => 20),
      () => Promise.reject(busy()),
      { queue: own },
    ),
  );
  const dead = await reader(channel, `${queue}.dead`);
  channel.publish("", own, Buffer.from("hello"));
  const { properties } = await dead.next();
  assert.deepEqual(
    properties.headers["x-death"].map(({ queue, reason }) => [queue, reason]),
    [
      [own, "rejected"],
      [`${own}.redress.20`, "expired"],
    ],
  );
});

test("amqp: a short delay does not wait behind a long one", async (lab) => {
  const done = [];
  let over;
  const both = new Promise((resolve) => (over = resolve));
  const delays = { long: 1_500, short: 100 };
  const operation = ({ content }, { attempt }) => {
    if (attempt === 1) throw Object.assign(busy(), { retryAfterMs: delays[content] });
    done.push(String(content));
    if (done.length === 2) over();
  };
  const { send } = await consuming(lab, retrying(backoff.retryAfterOr(backoff.constant(10))), operation);
  send("long");
  send("short");
  await both;
  assert.deepEqual(done, ["short", "long"]);
});

test("amqp: a delay queue is durable, has one delay, and goes a minute after nothing is published to it", async (lab) => {
  const { channel } = await queues(lab);
  const made = [];
  const spy = Object.create(channel, {
    assertQueue: { value: (name, options) => (made.push([name, options]), channel.assertQueue(name, options)) },
  });
  const fails = () => Promise.reject(busy());
  let copied;
  const acknowledged = new Promise((resolve) => (copied = resolve));
  spy.ack = (message) => (channel.ack(message), copied());
  const queue = `jobs-${count}`;
  await channel.consume(
    queue,
    consumer(
      spy,
      retrying(() => 1_000),
      fails,
      { queue },
    ),
  );
  channel.publish("", queue, Buffer.from("hello"));
  await acknowledged;
  const [[name, { durable, arguments: args }]] = made;
  assert.equal(name, `${queue}.redress.1024`);
  assert.deepEqual([durable, args["x-message-ttl"], args["x-expires"]], [true, 1_024, 61_024]);
  const { messageCount } = await channel.checkQueue(name);
  assert.equal(messageCount, 1);
});

test("amqp: a delay that is longer than a queue can have is waited for in portions", async (lab) => {
  const ran = [];
  let over;
  const run = new Promise((resolve) => (over = resolve));
  const { send } = await consuming(
    lab,
    retrying(() => 20),
    (_, { attempt }) => void (ran.push(attempt), over()),
  );
  const began = Date.now();
  const resume = { attempts: 2, failures: {}, previousSleepMs: 300, elapsedMs: 300, remainingMs: null };
  send("hello", { headers: { "x-redress": JSON.stringify({ resume, leftMs: 300 }) } });
  await run;
  assert.deepEqual(ran, [3]);
  assert.ok(Date.now() - began >= 300);
});

test("amqp: what cannot be read, or throws outside an attempt, is dead-lettered and not tried for ever", async (lab) => {
  const options = {
    sleep: () => {
      throw new Error("a handler's fault");
    },
  };
  const { send, dead } = await consuming(
    lab,
    retrying(() => 20),
    () => Promise.reject(busy()),
    { options },
  );
  send("1", { headers: { "x-redress": "{" } });
  send("2");
  for (const message of [/^resume: "\{" is not an object of options$/, /^a handler's fault$/]) {
    const { headers } = (await dead.next()).properties;
    assert.equal(headers["x-redress-stop-reason"], "ERROR");
    assert.match(headers["x-redress-error"], message);
  }
});

test("amqp: a dead letter that no queue takes is reported, and rejected", async (lab) => {
  let reported;
  const report = new Promise((resolve) => (reported = resolve));
  const options = { deadLetter: { exchange: "", routingKey: "nowhere" }, onError: reported };
  const { send, queue, channel } = await consuming(lab, new Policy(), () => Promise.reject(new Error("no")), {
    options,
  });
  send("hello");
  assert.equal((await report).message, "no queue took it: default exchange, nowhere");
  assert.equal((await channel.checkQueue(queue)).messageCount, 0);
});

test("amqp: a consumer that is told to stop gives its messages back, and one that the server cancels says so", async (lab) => {
  const stops = new AbortController();
  let started;
  const inFlight = new Promise((resolve) => (started = resolve));
  const hangs = (_, { signal }) => {
    started();
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const { send, channel, queue, consumerTag } = await consuming(
    lab,
    retrying(() => 5),
    hangs,
    {
      options: { signal: stops.signal },
    },
  );
  send("hello");
  await inFlight;
  await channel.cancel(consumerTag);
  stops.abort(new Error("the process ends"));
  const back = await (await reader(channel, queue)).next();
  assert.deepEqual([String(back.content), back.fields.redelivered], ["hello", true]);

  let told;
  const cancelled = new Promise((resolve) => (told = resolve));
  const other = await consuming(lab, new Policy(), () => {}, { options: { onError: told } });
  await other.channel.deleteQueue(other.queue);
  assert.match((await cancelled).message, /^the server has cancelled the consumer of jobs-/);
});

test("amqp: what is wrong with options is said at once", async (lab) => {
  const { channel, queue } = await queues(lab);
  const plain = await connection.createChannel();
  lab.cleanup(() => plain.close());
  const policy = new Policy();
  for (const [wrong, path] of [
    [() => consumer(plain, policy, () => 1, { queue }), "consumer.channel"],
    [() => consumer(channel, policy, () => 1, {}), "consumer.queue"],
    [() => consumer(channel, policy, () => 1, { queue, deadLetter: "dead" }), "consumer.deadLetter"],
    [() => consumer(channel, {}, () => 1, { queue }), "consumer.policy"],
    [() => consumer(channel, policy, () => 1, { queue, rejectedMs: "1s" }), "consumer.rejectedMs"],
  ]) {
    assert.throws(wrong, (error) => error.path === path);
  }
});

test("amqp: messages in a delay queue survive a server that is killed, and come when it is back", async (lab) => {
  const { queue, channel } = await queues(lab);
  const policy = retrying(() => 2_000);
  await channel.consume(
    queue,
    consumer(channel, policy, () => Promise.reject(busy()), { queue, onError: () => {} }),
  );
  channel.publish("", queue, Buffer.from("hello"), { persistent: true });
  while ((await channel.assertQueue(`${queue}.redress.2048`, waitingArguments(queue))).messageCount === 0);
  connection.on("error", () => {});
  await rabbit.end("SIGKILL");
  await rabbit.run();
  const again = await amqp.connect(address);
  lab.cleanup(() => again.close());
  const next = await again.createConfirmChannel();
  // The message itself comes, too, if the server had not written that it was acknowledged.
  await new Promise((resolve) => {
    const operation = (_, { attempt }) => void (attempt === 2 && resolve());
    next.consume(queue, consumer(next, policy, operation, { queue, onError: () => {} }));
  });
}, 60_000);

/** What a delay queue of 2,048 ms is made with. */
const waitingArguments = (queue) => ({
  durable: true,
  arguments: {
    "x-message-ttl": 2_048,
    "x-expires": 62_048,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": queue,
  },
});

try {
  await run();
} finally {
  await connection.close().catch(() => {});
  await stopAll();
}
