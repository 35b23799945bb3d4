// `redress/bullmq` with BullMQ on a real Redis: a hundred jobs with faults, workers that are killed, and what a job carries.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Queue, QueueEvents, Worker } from "bullmq";
import { backoff, CircuitBreaker, Policy } from "redress";
import { processor } from "redress/bullmq";
import { assert, run, test, thrown } from "../lab/harness.mjs";
import { COUNT } from "../lab/jobs.mjs";
import { checkJobs, startUpstream } from "../lab/jobs-upstream.mjs";
import { stopAll } from "../lab/processes.mjs";
import { startRedis } from "../lab/shared.mjs";
import { startWorkers } from "../lab/workers.mjs";

const WORKER = join(dirname(dirname(fileURLToPath(import.meta.url))), "lab", "bullmq-worker.mjs");
const cleanups = [];
const redis = await startRedis({ cleanup: (one) => cleanups.push(one) });
const connection = { host: "127.0.0.1", port: redis.port, maxRetriesPerRequest: null };
let count = 0;

/** A queue of its own. */
function queueOf({ cleanup }) {
  const name = `jobs-${(count += 1)}`;
  const queue = new Queue(name, { connection });
  cleanup(() => queue.close());
  return { name, queue };
}

/** Waits until so many jobs have ended, by the events of a worker or of a queue. */
function overOf(events) {
  let [ended, waiting] = [0, () => {}];
  for (const event of ["completed", "failed"]) {
    events.on(event, () => {
      ended += 1;
      waiting();
    });
  }
  return (jobs) =>
    new Promise((resolve) => {
      waiting = () => ended >= jobs && resolve();
      waiting();
    });
}

/** How each job has ended: done, or why it was stopped. */
async function endsOf(queue) {
  const [done, failed] = [await queue.getCompleted(), await queue.getFailed()];
  const words = ({ failedReason }) => failedReason.split(",")[0];
  return new Map([...done.map(({ data }) => [data.id, "done"]), ...failed.map((job) => [job.data.id, words(job)])]);
}

test("bullmq: a hundred jobs with faults have the attempts, delays and deadlines of their policies, across six killed workers", async (lab) => {
  const { name, queue } = queueOf(lab);
  const events = new QueueEvents(name, { connection });
  lab.cleanup(() => events.close());
  await events.waitUntilReady();
  const over = overOf(events);
  const kills = ["10/1", "21/1", "32/2", "53/4", "69/3", "85/2"];
  let workers;
  const upstream = await startUpstream(lab, kills, (worker) => workers.kill(worker));
  workers = await startWorkers(WORKER, 3, { queue: name, port: redis.port, url: upstream.url }, lab);
  await queue.addBulk(Array.from({ length: COUNT }, (_, id) => ({ name: "job", data: { id }, opts: { attempts: 5 } })));
  await over(COUNT);
  assert.equal(upstream.killed.size, kills.length);
  checkJobs(upstream, await endsOf(queue));
}, 60_000);

/** A worker in this process that runs jobs by a policy; its failures, and the queue. */
async function workerOf(lab, policy, operation, options) {
  const { name, queue } = queueOf(lab);
  const worker = new Worker(name, processor(policy, operation, options), { connection, drainDelay: 1 });
  lab.cleanup(() => worker.close(true));
  const failures = [];
  worker.on("failed", (_, error) => failures.push(error));
  worker.on("error", () => {});
  return { queue, over: overOf(worker), worker, failures };
}

const fails = (status) => () => Promise.reject(Object.assign(new Error(`status ${status}`), { status }));
const retrying = (strategy, more) => new Policy({ retry: { strategy, maxAttempts: 3, ...more } });

test("bullmq: a delay up to sleepAtMostMs is waited for in the worker, a longer one is the queue's", async (lab) => {
  const attempts = [];
  const policy = retrying(({ attempt }) => (attempt === 1 ? 20 : 60));
  const operation = ({ attemptsStarted }, { attempt }) => {
    attempts.push([attemptsStarted, attempt]);
    if (attempt < 3) throw Object.assign(new Error("busy"), { status: 503 });
    return "done";
  };
  const { queue, over } = await workerOf(lab, policy, operation, { sleepAtMostMs: 20 });
  const job = await queue.add("job", {});
  await over(1);
  assert.deepEqual(attempts, [
    [1, 1],
    [1, 2],
    [2, 3],
  ]);
  assert.equal((await queue.getJob(job.id)).returnvalue, "done");
});

test("bullmq: a sleep handler defers a delay that does not fit before the deadline, and its abort fails the job", async (lab) => {
  let attempts = 0;
  const policy = retrying(() => 300, { deadlineMs: 200 });
  const operation = () => {
    attempts += 1;
    if (attempts === 1) throw Object.assign(new Error("busy"), { status: 503 });
  };
  const deferring = await workerOf(lab, policy, operation, { sleep: () => "defer" });
  await deferring.queue.add("job", {});
  await deferring.over(1);
  assert.deepEqual([attempts, deferring.failures], [2, []]);
  const aborting = await workerOf(lab, policy, fails(503), { sleep: () => "abort" });
  await aborting.queue.add("job", {});
  await aborting.over(1);
  assert.equal(aborting.failures[0].stopReason, "ABORTED");
});

test("bullmq: what a policy stops is in the failed set with why, and its worker is told the cause", async (lab) => {
  const { queue, over, failures } = await workerOf(
    lab,
    retrying(() => 5),
    fails(503),
  );
  const { id } = await queue.add("job", {}, { attempts: 9 });
  await over(1);
  const job = await queue.getJob(id);
  assert.equal(job.failedReason, "MAX_ATTEMPTS_GLOBAL, SERVER_ERROR, after 3 attempts: status 503");
  assert.deepEqual([await job.getState(), job.attemptsMade], ["failed", 1]);
  const [{ name, stopReason, lastClass, attempts, cause }] = failures;
  assert.deepEqual(
    [name, stopReason, lastClass, attempts, cause.status],
    ["UnrecoverableError", "MAX_ATTEMPTS_GLOBAL", "SERVER_ERROR", 3, 503],
  );
  assert.match(job.stacktrace[0], /Error: status 503\n *at /);
});

test("bullmq: a job that is taken out of the failed set by hand begins anew", async (lab) => {
  const attempts = [];
  const operation = (_, { attempt }) => {
    attempts.push(attempt);
    throw Object.assign(new Error("busy"), { status: 503 });
  };
  const { queue, over } = await workerOf(
    lab,
    retrying(() => 5),
    operation,
  );
  const { id } = await queue.add("job", {});
  await over(1);
  await (await queue.getJob(id)).retry();
  await over(2);
  assert.deepEqual(attempts, [1, 2, 3, 1, 2, 3]);
});

test("bullmq: a job whose worker was killed between writing and moving waits for what is left of its delay", async (lab) => {
  const ran = [];
  const { queue, over } = await workerOf(
    lab,
    retrying(() => 5),
    (_, { attempt }) => void ran.push([attempt, Date.now()]),
  );
  const resume = {
    attempts: 1,
    failures: { SERVER_ERROR: 1 },
    previousSleepMs: 400,
    elapsedMs: 400,
    remainingMs: 5_000,
  };
  const dueMs = Date.now() + 400;
  await queue.add("job", { redress: { resume, dueMs, delayMs: 400, made: 0 } });
  // The clock of the one that wrote it is an hour ahead: no more than the delay itself.
  await queue.add("job", { redress: { resume, dueMs: dueMs + 3_600_000, delayMs: 400, made: 0 } });
  await over(2);
  for (const [attempt, at] of ran) {
    assert.equal(attempt, 2);
    assert.ok(at >= dueMs && at < dueMs + 10_000, `${at - dueMs}`);
  }
});

test("bullmq: jobs that an open breaker rejects wait for it, without an attempt", async (lab) => {
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 300 });
  let calls = 0;
  const operation = () => {
    calls += 1;
    if (calls === 1) throw Object.assign(new Error("down"), { status: 503 });
  };
  const policy = new Policy({ circuitBreaker, retry: { strategy: backoff.constant(20), maxAttempts: 2 } });
  const { queue, over, failures } = await workerOf(lab, policy, operation, { rejectedMs: 50 });
  await queue.addBulk(Array.from({ length: 5 }, () => ({ name: "job", data: {} })));
  await over(5);
  // One of them had failed before it was rejected, and made its second attempt.
  assert.deepEqual([calls, failures, (await queue.getCompleted()).length], [6, [], 5]);
});

test('bullmq: with whenOpen "fail" they fail', async (lab) => {
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
  circuitBreaker.trip();
  const policy = new Policy({ circuitBreaker });
  const { queue, over, failures } = await workerOf(lab, policy, () => assert.fail("it ran"), { whenOpen: "fail" });
  await queue.add("job", {});
  await over(1);
  assert.match(failures[0].message, /^CIRCUIT_OPEN, after 0 attempts: circuit is open/);
});

test("bullmq: a worker that is told to stop gives its job back as it was, and a job that is cancelled fails", async (lab) => {
  const stops = new AbortController();
  let started;
  const inFlight = new Promise((resolve) => (started = resolve));
  const hangs = (_, { signal }) => {
    started();
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const { queue, worker } = await workerOf(
    lab,
    retrying(() => 5),
    hangs,
    { signal: stops.signal },
  );
  const job = await queue.add("job", {});
  await inFlight;
  await worker.pause(true);
  stops.abort(new Error("the process ends"));
  while ((await job.getState()) === "active") await new Promise(setImmediate);
  assert.deepEqual([await job.getState(), (await queue.getJob(job.id)).attemptsMade], ["waiting", 0]);

  let other;
  const cancelled = new Promise((resolve) => (other = resolve));
  const second = await workerOf(
    lab,
    retrying(() => 5),
    (given, attempt) => {
      other(given.id);
      return hangs(given, attempt);
    },
  );
  await second.queue.add("job", {});
  second.worker.cancelJob(await cancelled, "of no use");
  await second.over(1);
  assert.equal(second.failures[0].stopReason, "ABORTED");
});

test("bullmq: a worker that has lost its lock does not overwrite what the next one wrote", async (lab) => {
  const { name, queue } = queueOf(lab);
  const job = await queue.add("job", { from: "the next one" });
  const worker = new Worker(name, undefined, { connection });
  lab.cleanup(() => worker.close(true));
  const taken = await worker.getNextJob("first");
  await redis.client.set(`bull:${name}:${job.id}:lock`, "next", "PX", 60_000);
  const error = await thrown(
    processor(
      retrying(() => 50),
      fails(503),
    )(taken, "first"),
  );
  assert.match(error.message, /^the lock of job job is lost/);
  assert.deepEqual((await queue.getJob(job.id)).data, { from: "the next one" });
});

test("bullmq: a handler that throws, or answers what is no decision, fails the job", async (lab) => {
  const throws = () => {
    throw new Error("a handler's fault");
  };
  for (const [sleep, message] of [
    [throws, /^ERROR, after 0 attempts: a handler's fault$/],
    [() => undefined, /^ERROR, after 0 attempts: .*undefined is not "sleep", "defer" or "abort"$/],
  ]) {
    const { queue, over, failures } = await workerOf(
      lab,
      retrying(() => 5),
      fails(503),
      { sleep },
    );
    await queue.add("job", {}, { attempts: 5 });
    await over(1);
    assert.match(failures[0].message, message);
  }
});

test("bullmq: data that is no object fails, and what is wrong with options is said at once", async (lab) => {
  const { queue, over, failures } = await workerOf(
    lab,
    retrying(() => 5),
    () => 1,
  );
  await queue.add("job", "text");
  await over(1);
  assert.match(failures[0].message, /^job.data: "text" is not an object/);
  const policy = retrying(() => 5);
  for (const [wrong, path] of [
    [() => processor(undefined, () => 1), "processor.policy"],
    [() => processor(policy, 7), "processor.operation"],
    [() => processor(policy, () => 1, { sleepAtMostMs: -1 }), "processor.sleepAtMostMs"],
    [() => processor(policy, () => 1, { whenOpen: "wait" }), "processor.whenOpen"],
    [() => processor(policy, () => 1, { resume: null }), "processor.resume"],
    [() => processor(policy, () => 1, { maxAttempts: 3 }), "processor.maxAttempts"],
  ]) {
    assert.throws(wrong, (error) => error.path === path);
  }
});

try {
  await run();
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
  await stopAll();
}
