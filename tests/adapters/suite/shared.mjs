// What shared breakers and budgets decide and write, by the scripts in a real Redis and by a store whose time is the test's.

import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { Budget, CircuitBreaker, rateOfCalls, rateOverTime } from "redress";
import { redisStore, SharedBreaker, SharedBudget, sharedBreaker, sharedBudget } from "redress/redis";
import { assert, run, test, thrown } from "../lab/harness.mjs";
import { memoryStore, seeded } from "../lab/memory.mjs";
import { stopAll } from "../lab/processes.mjs";
import { startRedis } from "../lab/shared.mjs";

const SETTINGS = { key: "orders", failureThreshold: 2, recoveryTimeoutMs: 1_000, leaseMs: 5_000 };
const RESULTS = ["success", "success", "cancelled", "TRANSIENT", "SERVER_ERROR", "RATE_LIMIT"];

for (const [name, settings] of [
  [
    "failures",
    { failureThreshold: 3, windowMs: 700, maxRecoveryTimeoutMs: 900, halfOpenPermits: 2, successesToClose: 3 },
  ],
  ["a rate of calls", { window: rateOfCalls({ size: 10, rate: 0.5, minCalls: 4 }), halfOpenPermits: 3 }],
]) {
  test(`shared: handles decide as one breaker does, by ${name}`, async () => {
    const store = memoryStore();
    const given = { recoveryTimeoutMs: 200, leaseMs: 400, ...settings };
    const one = new CircuitBreaker({ ...given, clock: () => store.us / 1_000 });
    const handles = [1, 2, 3].map(() => new SharedBreaker(store, { key: "orders", ...given }));
    const random = seeded(7);
    const out = [];
    const seen = new Set();
    for (let step = 0; step < 3_000; step += 1) {
      store.us += random(60_000);
      const handle = handles[random(3)];
      if (out.length === 0 || random(2) === 0) {
        const want = one.admit();
        const found = await handle.admit();
        seen.add(want.ok ? `admitted ${want.halfOpened}` : want.state);
        assert.deepEqual({ ...found, permit: undefined }, { ...want, permit: undefined }, `step ${step}`);
        if (want.ok) out.push([want.permit, found.permit]);
      } else {
        const [[own, shared]] = out.splice(random(out.length), 1);
        const result = RESULTS[random(RESULTS.length)];
        assert.equal(await handle.settle(shared, result), one.settle(own, result), `step ${step}`);
      }
    }
    assert.deepEqual([...seen].sort(), ["admitted false", "admitted true", "half_open", "open"]);
  });
}

for (const [name, settings] of [
  ["rolling", { maxRetries: 5, windowMs: 500 }],
  ["in proportion to calls", { ratio: 0.2, initial: 3, floorPerSec: 2, limit: 6 }],
]) {
  test(`shared: handles decide as one budget does, ${name}`, async () => {
    const store = memoryStore();
    const one = new Budget({ ...settings, clock: () => store.us / 1_000 });
    const handles = [1, 2].map(() => new SharedBudget(store, { key: "orders", ...settings }));
    const random = seeded(11);
    const seen = new Set();
    for (let step = 0; step < 1_000; step += 1) {
      store.us += random(150_000);
      const handle = handles[random(2)];
      const calls = random(3);
      for (let n = 0; n < calls; n += 1) for (const each of [one, handle]) each.deposit();
      const want = one.consume();
      seen.add(want);
      assert.equal(await handle.consume(), want, `step ${step}`);
    }
    assert.equal(seen.size, 2);
  });
}

test("shared: a rate over time counts the calls of all, as long as its window is", async () => {
  const store = memoryStore();
  const settings = { key: "orders", window: rateOverTime({ ms: 1_000, rate: 0.5, minCalls: 4 }) };
  const handles = [1, 2].map(() => new SharedBreaker(store, settings));
  const settled = async (n, result) => handles[n % 2].settle((await handles[(n + 1) % 2].admit()).permit, result);
  for (let n = 0; n < 3; n += 1) assert.equal(await settled(n, "TRANSIENT"), null);
  store.us += 2_000_000;
  for (const result of ["success", "TRANSIENT", "success"]) assert.equal(await settled(3, result), null);
  assert.equal(await settled(4, "TRANSIENT"), "open");
});

test("shared: a success that changes nothing writes nothing, and needs no answer", async () => {
  const store = memoryStore();
  const breaker = new SharedBreaker(store, SETTINGS);
  for (let n = 0; n < 5; n += 1) await breaker.settle((await breaker.admit()).permit, "success");
  assert.deepEqual(store.counts, { reads: 5, writes: 0 });
  await breaker.settle((await breaker.admit()).permit, "NOT_FOUND").catch(() => {});
  await breaker.settle((await breaker.admit()).permit, "PERMANENT");
  assert.equal(store.counts.writes, 0);
  await breaker.settle((await breaker.admit()).permit, "TRANSIENT");
  assert.equal(store.counts.writes, 1);
});

test("shared: what is asked at the same time is decided together, by one reading and one writing", async () => {
  const store = memoryStore();
  const breaker = new SharedBreaker(store, { ...SETTINGS, failureThreshold: 100 });
  const admissions = await Promise.all(Array.from({ length: 50 }, () => breaker.admit()));
  assert.ok(store.counts.reads <= 2, `${store.counts.reads} readings`);
  store.counts.reads = 0;
  await Promise.all(admissions.map(({ permit }) => breaker.settle(permit, "TRANSIENT")));
  assert.deepEqual(store.counts.reads <= 2 && store.counts.writes <= 2 && store.counts.writes > 0, true);
});

/** A store before which another handle writes, so many times. */
function contested(store, times) {
  const other = new SharedBreaker(store, { ...SETTINGS, failureThreshold: 200 });
  let left = times;
  return {
    read: store.read,
    async write(...words) {
      if (left > 0) {
        left -= 1;
        await other.settle((await other.admit()).permit, "TRANSIENT");
      }
      return store.write(...words);
    },
  };
}

for (const [times, conflicts] of [
  [4, 0],
  [5, 1],
]) {
  test(`shared: a result whose writing meets ${times} others ${conflicts ? "does not count, and that is told" : "counts"}`, async () => {
    const store = memoryStore();
    let told = 0;
    const settings = { ...SETTINGS, failureThreshold: 200, onConflict: () => (told += 1) };
    const breaker = new SharedBreaker(contested(store, times), settings);
    const { permit } = await breaker.admit();
    store.counts.writes = 0;
    assert.equal(await breaker.settle(permit, "TRANSIENT"), null);
    // Five of its own, and those of the other.
    assert.deepEqual([told, store.counts.writes], [conflicts, times + 5]);
  });
}

test("shared: a probe whose place cannot be written is rejected", async () => {
  const store = memoryStore();
  let told = 0;
  const settings = { ...SETTINGS, onConflict: () => (told += 1) };
  const opening = new SharedBreaker(store, SETTINGS);
  for (let n = 0; n < 2; n += 1) await opening.settle((await opening.admit()).permit, "TRANSIENT");
  store.us += 1_000_000;
  const never = { read: store.read, write: async () => false };
  const breaker = new SharedBreaker(never, settings);
  assert.equal((await breaker.admit()).ok, false);
  assert.equal(told, 1);
  assert.equal((await opening.admit()).ok, true);
});

test("shared: time goes on where it was when a server with an earlier clock takes over", async () => {
  const store = memoryStore();
  const breaker = new SharedBreaker(store, SETTINGS);
  for (let n = 0; n < 2; n += 1) await breaker.settle((await breaker.admit()).permit, "TRANSIENT");
  store.us -= 3_600_000_000;
  assert.deepEqual(await breaker.admit(), { ok: false, state: "open", retryAfterMs: 1_000 });
  store.us += 600_000;
  assert.equal((await breaker.admit()).retryAfterMs, 400);
  store.us += 400_000;
  assert.equal((await breaker.admit()).halfOpened, true);
});

test("shared: other settings have a state of their own under the same key, and a damaged one begins anew", async (lab) => {
  const { client } = await startRedis(lab);
  const breaker = sharedBreaker(client, SETTINGS);
  const other = sharedBreaker(client, { ...SETTINGS, leaseMs: 6_000 });
  for (let n = 0; n < 2; n += 1) await breaker.settle((await breaker.admit()).permit, "TRANSIENT");
  assert.equal((await breaker.admit()).ok, false);
  assert.equal((await other.admit()).ok, true);
  for (const damaged of ["", "what is this", "1 5 0 ff", `1 5 0 ${"00".repeat(60)}`]) {
    const [key] = await client.keys("orders:*");
    await client.hset(key, "version", `damaged ${damaged}`, "value", damaged);
    assert.equal((await breaker.admit()).ok, true);
  }
});

test("shared: a Redis that does not answer counts as unreachable after its time; by local state, or rejected", async (lab) => {
  const redis = await startRedis(lab);
  for (const whenUnreachable of ["local", "reject"]) {
    const reasons = [];
    const settings = {
      ...SETTINGS,
      whenUnreachable,
      timeoutMs: 50,
      onUnreachable: (error) => reasons.push(error.name),
    };
    const client = new Redis({ host: "127.0.0.1", port: redis.port });
    client.on("error", () => {});
    lab.cleanup(() => client.disconnect());
    const breaker = sharedBreaker(client, { ...settings, key: whenUnreachable });
    await client.ping();
    assert.equal((await breaker.admit()).ok, true);
    reasons.length = 0;
    await redis.client.call("CLIENT", "PAUSE", "600000", "ALL");
    const isLocal = whenUnreachable === "local";
    const admission = await breaker.admit();
    assert.equal(admission.ok, isLocal);
    assert.deepEqual(reasons, ["TimeoutError"]);
    if (isLocal) {
      await breaker.settle(admission.permit, "TRANSIENT");
      assert.equal(await breaker.settle((await breaker.admit()).permit, "TRANSIENT"), "open");
      assert.equal((await breaker.admit()).ok, false);
    }
    await redis.kill();
    await redis.run();
    await redis.client.ping();
  }
});

test("shared: the script is sent whole to a server that does not have it, by both clients", async (lab) => {
  const redis = await startRedis(lab);
  const other = await createClient({ socket: { host: "127.0.0.1", port: redis.port } }).connect();
  lab.cleanup(() => other.destroy());
  for (const client of [redis.client, other]) {
    await redis.client.script("FLUSH");
    const store = redisStore(client);
    assert.equal((await store.read("nothing")).version, "");
    const key = client === other ? "a" : "b";
    assert.equal(await store.write(key, "", "1", "text"), true);
    assert.equal(await store.write(key, "", "1", "text"), true, "the same command again");
    assert.equal(await store.write(key, "", "2", "other"), false);
    const { version, value, nowUs } = await store.read(key);
    const [seconds] = await redis.client.time();
    assert.deepEqual([version, value, Math.abs(nowUs / 1e6 - Number(seconds)) < 5], ["1", "text", true]);
  }
});

test("shared: a budget grants what it has, and no more, to all together", async (lab) => {
  const redis = await startRedis(lab);
  const budgets = Array.from({ length: 4 }, () => sharedBudget(redis.client, { key: "orders", maxRetries: 20 }));
  let granted = 0;
  for (let n = 0; n < 20; n += 1) {
    const answers = await Promise.all(budgets.map((budget) => budget.consume()));
    granted += answers.filter(Boolean).length;
    assert.ok(granted <= 20);
  }
  assert.equal(granted, 20);
});

test("shared: a breaker and a budget of one key keep apart", async () => {
  const store = memoryStore();
  const breaker = new SharedBreaker(store, { ...SETTINGS, failureThreshold: 1 });
  const budget = new SharedBudget(store, { key: SETTINGS.key, maxRetries: 1 });
  const { permit } = await breaker.admit();
  assert.deepEqual([await budget.consume(), await budget.consume()], [true, false]);
  assert.equal(await breaker.settle(permit, "TRANSIENT"), "open");
  assert.equal((await breaker.admit()).ok, false);
});

test("shared: a budget in proportion to calls earns here while its store cannot be reached", async () => {
  const lost = { read: () => Promise.reject(new Error("lost")), write: () => Promise.reject(new Error("lost")) };
  const budget = new SharedBudget(lost, { key: "orders", ratio: 0.5, initial: 0, floorPerSec: 0 });
  for (let n = 0; n < 4; n += 1) budget.deposit();
  assert.deepEqual([await budget.consume(2), await budget.consume()], [true, false]);
});

test("shared: of one bad process so many failures count for all as it may have, and all for itself", async () => {
  const store = memoryStore();
  const settings = { ...SETTINGS, failureThreshold: 5, windowMs: 60_000 };
  const [bad, ...others] = Array.from(
    { length: 4 },
    () => new SharedBreaker(store, { ...settings, maxOwnFailures: 2 }),
  );
  const call = async (one, result) => one.settle((await one.admit()).permit, result);
  for (let n = 0; n < 9; n += 1) assert.equal(await call(bad, "PERMANENT"), null);
  for (let n = 1; n <= 5; n += 1) {
    assert.equal(await call(bad, "TRANSIENT"), n === 5 ? "open" : null);
    for (const other of others) assert.equal(await call(other, "success"), null);
  }
  assert.equal((await bad.admit()).ok, false);
  for (const [n, other] of others.entries()) assert.equal(await call(other, "TRANSIENT"), n === 2 ? "open" : null);
  for (const other of others) assert.equal((await other.admit()).ok, false);
});

test("shared: what a process may have of the failures is that of a window, and a probe counts always", async () => {
  const store = memoryStore();
  const settings = { ...SETTINGS, failureThreshold: 4, windowMs: 60_000 };
  const [bad, other] = [{ maxOwnFailures: 1 }, {}].map((more) => new SharedBreaker(store, { ...settings, ...more }));
  const call = async (one, result) => one.settle((await one.admit()).permit, result);
  await call(bad, "TRANSIENT");
  store.us += 59_999_000;
  await call(bad, "TRANSIENT");
  assert.equal(await call(other, "TRANSIENT"), null);
  store.us += 1_000;
  // Its first failure has left the window: another may count.
  assert.equal(await call(bad, "TRANSIENT"), null);
  assert.equal(await call(other, "TRANSIENT"), null);
  assert.equal(await call(other, "TRANSIENT"), "open");
  store.us += 1_000_000;
  assert.equal(await call(bad, "TRANSIENT"), "open");
  assert.equal((await other.admit()).ok, false);
});

test("shared: settings have the key that they have in Rust", async () => {
  const { breakers, budgets } = JSON.parse(readFileSync(new URL("../lab/shared.json", import.meta.url), "utf8"));
  const keyOf = async (ask) => {
    let found;
    const store = { ...memoryStore(), read: (key) => ((found = key), Promise.reject(new Error("no more"))) };
    await ask(store);
    return found;
  };
  const windows = { calls: rateOfCalls, time: rateOverTime };
  for (const { settings, key } of breakers) {
    const { window: { kind, ...own } = {}, ...others } = settings;
    const window = kind && { window: windows[kind](own) };
    const found = await keyOf((store) => new SharedBreaker(store, { key: "k", ...others, ...window }).admit());
    assert.equal(found, `k:${key}`, JSON.stringify(settings));
  }
  for (const { settings, key } of budgets) {
    const found = await keyOf((store) => new SharedBudget(store, { key: "k", ...settings }).consume());
    assert.equal(found, `k:${key}`, JSON.stringify(settings));
  }
});

test("shared: a permit goes back once, and what is wrong is refused by its path", async (lab) => {
  const { client } = await startRedis(lab);
  const breaker = sharedBreaker(client, SETTINGS);
  const { permit } = await breaker.admit();
  await breaker.settle(permit, "success");
  assert.match((await thrown(breaker.settle(permit, "success"))).message, /settled before/);
  for (const [settings, message] of [
    [{}, /sharedBreaker\.key/],
    [{ key: "a", clock: Date.now }, /sharedBreaker\.clock/],
    [{ key: "a", checkBeforeRetry: true }, /sharedBreaker\.checkBeforeRetry/],
    [{ key: "a", whenUnreachable: "no" }, /sharedBreaker\.whenUnreachable/],
    [{ key: "a", timeoutMs: 0 }, /sharedBreaker\.timeoutMs/],
    [{ key: "a", maxOwnFailures: 5 }, /sharedBreaker\.maxOwnFailures: 5 is out of range: .* at least 1, at most 4/],
    [{ key: "a", classThresholds: { AUTH: 2 }, maxOwnFailures: 2 }, /sharedBreaker\.maxOwnFailures: 2/],
    [{ key: "a", failureThreshold: 1, maxOwnFailures: 1 }, /sharedBreaker\.maxOwnFailures: 1/],
    [
      { key: "a", window: rateOfCalls({ size: 9, rate: 0.5, minCalls: 1 }), maxOwnFailures: 1 },
      /sharedBreaker\.maxOwnFailures: 1/,
    ],
  ]) {
    assert.throws(() => sharedBreaker(client, settings), message);
  }
  assert.throws(() => sharedBreaker({}, SETTINGS), /redis\.client/);
});

try {
  await run();
} finally {
  await stopAll();
}
