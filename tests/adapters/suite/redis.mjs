// `redress/redis` and redress-tokio: processes that share a breaker in a real Redis. With REDRESS_LONG they are sixteen, else four.

import { assert, run, test } from "../lab/harness.mjs";
import { stopAll } from "../lab/processes.mjs";
import { round, settled, startProxy, startRedis, startReplica, startUpstream, startWorkers } from "../lab/shared.mjs";

const COUNT = process.env.REDRESS_LONG ? 16 : 4;
const LEASE_MS = 1_500;
const SETTINGS = { key: "orders", failureThreshold: 3, recoveryTimeoutMs: 100, leaseMs: LEASE_MS };

/** A Redis, an upstream, and processes that share a breaker; each process may have a proxy before its Redis. */
async function laboratory(lab, { settings = {}, proxies = 0, redis: how = {} } = {}) {
  const redis = await startRedis(lab, how);
  const upstream = await startUpstream(lab);
  const before = await Promise.all(Array.from({ length: proxies }, () => startProxy(redis.port, lab)));
  const ports = proxies > 0 ? before.map(({ port }) => port) : [redis.port];
  const given = { ports, url: upstream.url, settings: { ...SETTINGS, ...settings } };
  const workers = await startWorkers(COUNT, given, lab);
  return { redis, upstream, workers, proxies: before };
}

/** The first process fails until the breaker is open. */
async function opened({ upstream, workers: [first] }) {
  upstream.status = 503;
  for (let n = 0; n < SETTINGS.failureThreshold; n += 1) assert.equal(await first.call(), "failure");
}

/** Rounds until the upstream holds as many calls; how those ended that it does not hold. */
async function held({ upstream, workers }, count) {
  upstream.holds = true;
  const ends = [];
  while (upstream.held.size < count) ends.push(...(await round(workers, upstream)));
  return ends;
}

const only = (ends, end) => assert.deepEqual([...new Set(ends)], ends.length > 0 ? [end] : []);

test("redis: failures of one process open the breaker of all, by ioredis, by node-redis and in Rust", async (lab) => {
  const all = await laboratory(lab, { settings: { recoveryTimeoutMs: 60_000 } });
  await opened(all);
  const { calls } = all.upstream;
  only(await round(all.workers, all.upstream), "rejected");
  assert.equal(all.upstream.calls, calls);
});

test("redis: failures of several processes count together", async (lab) => {
  const { upstream, workers } = await laboratory(lab, { settings: { recoveryTimeoutMs: 60_000 } });
  upstream.status = 503;
  for (const worker of workers.slice(0, 3)) assert.equal(await worker.call(), "failure");
  only(await round(workers, upstream), "rejected");
});

for (const halfOpenPermits of [1, 2]) {
  test(`redis: all processes together make no more than ${halfOpenPermits} probes at once`, async (lab) => {
    // Under a lease that does not end meanwhile.
    const all = await laboratory(lab, { settings: { halfOpenPermits, leaseMs: 60_000 } });
    const { upstream, workers } = all;
    await opened(all);
    for (let time = 0; time < 3; time += 1) {
      only(await held(all, halfOpenPermits), "rejected");
      for (let n = 0; n < 5; n += 1) only(await round(workers, upstream), "rejected");
      assert.equal(upstream.most, halfOpenPermits);
      upstream.release(503);
      await settled(workers);
    }
    await held(all, halfOpenPermits);
    upstream.status = 200;
    upstream.release(200);
    let ends;
    do ends = await round(workers, upstream);
    while (!ends.every((end) => end === "success"));
    assert.equal(upstream.most, halfOpenPermits);
  });
}

/** After a place was taken at `taken` and lost: no other call before its lease ends, and one in the first round after that. */
async function freedByLease({ upstream, workers }, taken, leaseMs = LEASE_MS) {
  upstream.holds = true;
  for (;;) {
    const began = Date.now();
    const before = upstream.held.size;
    const ends = await round(workers, upstream);
    assert.ok(upstream.held.size <= 1, `${upstream.held.size} probes at once`);
    only(ends, "rejected");
    if (upstream.held.size > before) break;
    assert.ok(began <= taken.latest + leaseMs, "its lease has ended, and no call became a probe");
  }
  const [{ at }] = upstream.held.values();
  assert.ok(at >= taken.earliest + leaseMs, `a second probe ${at - taken.earliest} ms after the first`);
}

test("redis: the place of a process that is killed in mid-probe is free when its lease has ended, not before", async (lab) => {
  const all = await laboratory(lab);
  const { upstream, workers } = all;
  await opened(all);
  const earliest = Date.now();
  await held(all, 1);
  const [[response, { from, at }]] = upstream.held;
  await workers[from].kill();
  while (upstream.held.has(response)) await new Promise(setImmediate);
  await freedByLease(all, { earliest, latest: at });
  upstream.status = 200;
  upstream.release(200);
  let ends;
  do ends = await round(workers, upstream);
  while (!ends.every((end) => end === "success"));
});

// The first three processes ask by a client each.
for (const [id, client] of ["ioredis", "node-redis", "redis-rs"].entries()) {
  test(`redis: a place whose answer is lost is free when its lease has ended, not before: ${client}`, async (lab) => {
    const all = await laboratory(lab, { proxies: COUNT, settings: { whenUnreachable: "reject", timeoutMs: 1_000 } });
    const { upstream, workers, proxies } = all;
    await opened(all);
    // The answer to the write is lost: the place is taken, and the process that took it knows nothing of it.
    const loses = workers[id];
    const others = workers.filter((one) => one !== loses);
    const proxy = proxies[id];
    proxy.dropsWrites = true;
    let earliest;
    do {
      earliest = Date.now();
      assert.equal(await loses.call(), "rejected");
    } while (proxy.dropped === 0);
    const latest = Date.now();
    proxy.dropsWrites = false;
    await freedByLease({ upstream, workers: others }, { earliest, latest });
    assert.ok(loses.tells.unreachable > 0);
  });
}

for (const whenUnreachable of ["local", "reject"]) {
  test(`redis: a server that is killed means ${whenUnreachable}, and what it knew holds when it is back`, async (lab) => {
    const settings = { whenUnreachable, timeoutMs: 300, recoveryTimeoutMs: 60_000 };
    const all = await laboratory(lab, { settings });
    const { redis, upstream, workers } = all;
    only(await round(workers, upstream), "success");
    await redis.kill();
    // Closed is what each process knew last.
    only(await round(workers, upstream), whenUnreachable === "local" ? "success" : "rejected");
    for (const { tells } of workers) assert.ok(tells.unreachable > 0);
    await redis.run();
    let ends;
    do ends = await round(workers, upstream);
    while (!ends.every((end) => end === "success"));
    await until(redis, workers, upstream);
    await opened(all);
    only(await round(workers, upstream), "rejected");
    await redis.kill();
    const { calls } = upstream;
    only(await round(workers, upstream), "rejected");
    await redis.run();
    await until(redis, workers, upstream);
    only(await round(workers, upstream), "rejected");
    assert.equal(upstream.calls, calls);
  });
}

/** Rounds until every process reaches its server; how those ended in which one did not. */
async function until(redis, workers, upstream) {
  await redis.client.ping();
  const ends = [];
  for (;;) {
    const alive = workers.filter(({ isAlive }) => isAlive);
    const before = alive.map(({ tells }) => tells.unreachable);
    ends.push(...(await round(workers, upstream)));
    if (alive.every(({ tells }, n) => tells.unreachable === before[n])) return ends;
  }
}

test("redis: a server that restarts without its data begins anew, and results of before do not count as those of probes", async (lab) => {
  const all = await laboratory(lab, { redis: { keeps: false }, settings: { timeoutMs: 300 } });
  const { redis, upstream, workers } = all;
  await opened(all);
  await held(all, 1);
  await redis.kill();
  await redis.run();
  await redis.client.ping();
  upstream.status = 200;
  upstream.release(503);
  let ends;
  do ends = await round(workers, upstream);
  while (!ends.every((end) => end === "success") || ends.length < COUNT);
});

/** A Redis with a replica; each process reaches the first by a proxy, until they `turn` to the second. */
async function twoServers(lab, settings = {}) {
  const all = await laboratory(lab, {
    proxies: COUNT,
    settings: { whenUnreachable: "reject", timeoutMs: 1_000, ...settings },
  });
  const replica = await startReplica(all.redis, lab);
  const turn = () => all.proxies.forEach((proxy) => proxy.turnTo(replica.port));
  const promote = () => replica.client.call("REPLICAOF", "NO", "ONE");
  return { ...all, replica, turn, promote };
}

test("redis: a replica that takes over knows the place of a probe until its lease has ended", async (lab) => {
  // Long enough for all to reach the replica meanwhile.
  const leaseMs = 8 * LEASE_MS;
  const all = await twoServers(lab, { leaseMs });
  const { redis, upstream, workers, replica, turn, promote } = all;
  await opened(all);
  const earliest = Date.now();
  await held(all, 1);
  const [[response, { from, at }]] = upstream.held;
  await replica.synced();
  await redis.kill();
  await workers[from].kill();
  while (upstream.held.has(response)) await new Promise(setImmediate);
  only(await round(workers, upstream), "rejected");
  await promote();
  turn();
  only(await until(replica, workers, upstream), "rejected");
  await freedByLease(all, { earliest, latest: at }, leaseMs);
  upstream.status = 200;
  upstream.release(200);
  let ends;
  do ends = await round(workers, upstream);
  while (!ends.every((end) => end === "success"));
});

test("redis: a server that may only be read, before it is promoted, means rejection where a probe would begin", async (lab) => {
  const all = await twoServers(lab);
  const { redis, upstream, workers, replica, turn, promote } = all;
  await opened(all);
  await replica.synced();
  const { calls } = upstream;
  turn();
  const refused = async () =>
    Number(/errorstat_READONLY:count=(\d+)/.exec(await replica.client.info("errorstats"))?.[1] ?? 0);
  while ((await refused()) < 3 * COUNT) only(await round(workers, upstream), "rejected");
  assert.equal(upstream.calls, calls);
  await redis.kill();
  await promote();
  await held(all, 1);
  for (let n = 0; n < 3; n += 1) only(await round(workers, upstream), "rejected");
  assert.equal(upstream.most, 1);
});

test("redis: a place that a replica was not sent before it took over costs one more probe, and no more", async (lab) => {
  const all = await twoServers(lab, { leaseMs: 60_000 });
  const { redis, upstream, workers, replica, turn, promote } = all;
  await opened(all);
  await replica.synced();
  // From here on it gets nothing: the place of the probe is on the first server alone.
  await promote();
  await held(all, 1);
  const [[first, { from }]] = upstream.held;
  await redis.kill();
  turn();
  await held(all, 2);
  for (let n = 0; n < 3; n += 1) only(await round(workers, upstream), "rejected");
  assert.equal(upstream.most, 2);
  // The result of the place that was lost counts for nothing.
  first.writeHead(200).end();
  while (workers[from].busy > 0) await new Promise(setImmediate);
  for (let n = 0; n < 3; n += 1) only(await round(workers, upstream), "rejected");
  upstream.status = 200;
  upstream.release(200);
  let ends;
  do ends = await round(workers, upstream);
  while (!ends.every((end) => end === "success") || ends.length < COUNT);
});

test("redis: one bad process opens the breaker for itself alone, in JavaScript and in Rust", async (lab) => {
  const settings = { failureThreshold: 4, maxOwnFailures: 1, recoveryTimeoutMs: 60_000 };
  for (const id of [0, 2]) {
    const { upstream, workers } = await laboratory(lab, { settings: { ...settings, key: `bad ${id}` } });
    const bad = workers[id];
    const others = workers.filter((one) => one !== bad);
    upstream.fails.add(id);
    for (let n = 0; n < settings.failureThreshold; n += 1) assert.equal(await bad.call(), "failure");
    assert.equal(await bad.call(), "rejected");
    for (let n = 0; n < 3; n += 1) only(await round(others, upstream), "success");
    // One of its failures counts for all, so that those of three others open it.
    upstream.status = 503;
    for (const other of others.slice(0, 3)) assert.equal(await other.call(), "failure");
    only(await round(others, upstream), "rejected");
    for (const worker of workers) await worker.kill();
  }
});

try {
  await run();
} finally {
  await stopAll();
}
