// A process with a policy whose breaker is in Redis: makes a call for each message, and says how it ended.

import { Redis } from "ioredis";
import { createClient } from "redis";
import { CircuitOpenError, Policy } from "redress";
import { sharedBreaker } from "redress/redis";

const { id, url, port, client: which, settings } = JSON.parse(process.argv[2]);
const tells = { unreachable: 0, conflicts: 0 };

async function connected() {
  if (which === "ioredis") {
    const client = new Redis({ host: "127.0.0.1", port, retryStrategy: () => 20, maxRetriesPerRequest: 1 });
    client.on("error", () => {});
    return client;
  }
  const client = createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: () => 20 } });
  client.on("error", () => {});
  return client.connect();
}

const circuitBreaker = sharedBreaker(await connected(), {
  ...settings,
  onUnreachable: () => (tells.unreachable += 1),
  onConflict: () => (tells.conflicts += 1),
});
const policy = new Policy({ circuitBreaker });

async function call() {
  try {
    await policy.call(async () => {
      const response = await fetch(url, { headers: { "x-worker": String(id) } });
      await response.arrayBuffer();
      if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
    });
    return "success";
  } catch (error) {
    if (error instanceof CircuitOpenError) return "rejected";
    return error.status === undefined ? String(error?.stack ?? error) : "failure";
  }
}

process.on("message", async ({ number }) => process.send({ number, end: await call(), tells }));
process.on("disconnect", () => process.exit(0));
process.send({ number: 0, end: "ready", tells });
