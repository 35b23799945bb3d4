// What a shared breaker adds to a call: the median of calls one after the other, beside that of a PING, in milliseconds.

import { Redis } from "ioredis";
import { createClient } from "redis";
import { Policy } from "redress";
import { sharedBreaker } from "redress/redis";
import { stopAll } from "./processes.mjs";
import { startRedis } from "./shared.mjs";

const CALLS = 2_000;

async function median(run) {
  const times = [];
  for (let n = 0; n < CALLS; n += 1) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[CALLS / 2].toFixed(3);
}

const ends = [];
const { port } = await startRedis({ cleanup: (one) => ends.push(one) }, { keeps: false });
const ioredis = new Redis({ host: "127.0.0.1", port });
const redis = await createClient({ socket: { host: "127.0.0.1", port } }).connect();
for (const [name, client] of Object.entries({ ioredis, redis })) {
  // In a window so short that it never opens.
  const settings = { key: name, windowMs: 0.001 };
  const policy = new Policy({ circuitBreaker: sharedBreaker(client, settings) });
  const own = new Policy();
  const failed = Object.assign(new Error("503"), { status: 503 });
  const failing = (policy) => policy.execute(() => Promise.reject(failed));
  await median(() => policy.call(() => 1));
  console.log(
    `${name}: PING ${await median(() => client.ping())} ms; a call that succeeds ${await median(() => policy.call(() => 1))} ms, ` +
      `one that fails ${await median(() => failing(policy))} ms; without a breaker ${await median(() => own.call(() => 1))} ms`,
  );
}
ioredis.disconnect();
redis.destroy();
for (const end of ends.reverse()) await end();
await stopAll();
