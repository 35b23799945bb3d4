// Clients of Redis, and a queue that is built on one.

import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { startRedis } from "../lab/redis.mjs";

const WORDS = { host: "127.0.0.1" };
/** Fails at once: it does not connect anew, and does not wait until a server has loaded. */
const AT_ONCE = { retryStrategy: null, maxRetriesPerRequest: 0, enableReadyCheck: false };

/** Each: opens a connection, of which `write`, `read` and `wait` run a command. */
const CLIENTS = {
  async ioredis(port, login) {
    const client = new Redis({ ...WORDS, port, ...AT_ONCE, ...login, lazyConnect: true });
    client.on("error", () => {});
    await client.connect();
    return {
      write: () => client.set("key", "value"),
      wait: () => client.blpop("nothing", 0),
      end: () => client.disconnect(),
    };
  },
  async redis(port, login) {
    const client = createClient({ socket: { ...WORDS, port, reconnectStrategy: false }, ...login });
    client.on("error", () => {});
    await client.connect();
    return {
      write: () => client.set("key", "value"),
      wait: () => client.blPop("nothing", 0),
      end: () => client.destroy(),
    };
  },
  async bullmq(port, login) {
    const connection = new Redis({ ...WORDS, port, ...AT_ONCE, ...login, lazyConnect: true });
    connection.on("error", () => {});
    await connection.connect();
    // All its keys are in one slot of a cluster.
    const queue = new Queue("lab", { connection, prefix: "{lab}", skipVersionCheck: true });
    queue.on("error", () => {});
    return {
      async write() {
        await queue.waitUntilReady();
        return queue.add("job", {});
      },
      wait: () => connection.blpop("nothing", 0),
      end: () => connection.disconnect(),
    };
  },
};

const VISITOR = { username: "visitor", password: "visitor" };

/** The server of each fault, and its class. */
const FAULTS = [
  ["LOADING", "TRANSIENT", "loading"],
  ["READONLY", "CONCURRENCY", "replica"],
  ["OOM", "SERVER_ERROR", "full"],
  ["NOAUTH", "AUTH", "guarded"],
  ["NOPERM", "PERMISSION", "guarded", VISITOR],
  ["MOVED", "PERMANENT", "cluster"],
];

async function rows(client, open, { row, shared }) {
  const servers = await shared("redis", startRedis);
  async function within(server, login, use) {
    const connection = await open(server.port, login);
    try {
      return await use(connection);
    } finally {
      await connection.end();
    }
  }
  for (const [fault, want, server, login] of FAULTS) {
    await row(client, fault, want, "redis", () => within(servers[server], login, ({ write }) => write()));
  }
  await row(client, "killed", "TRANSIENT", "redis", () =>
    within(servers.plain, {}, async ({ write, wait }) => {
      await write();
      const waiting = wait();
      waiting.catch(() => {});
      while (!/cmd=blpop/.test(await servers.plain.admin("CLIENT", "LIST"))) await new Promise(setImmediate);
      await servers.plain.kill();
      return waiting;
    }),
  );
  await row(client, "refused", "TRANSIENT", "redis", () => within(servers.plain, {}, ({ write }) => write()));
  await servers.plain.run();
  if (client === "redis") await ownErrors(servers.plain.port, row);
}

/** What node-redis throws without a reply of the server. */
async function ownErrors(port, row) {
  const opened = async (options, use) => {
    const client = createClient({ ...options, socket: { ...WORDS, port, ...options.socket } });
    client.on("error", () => {});
    try {
      return await use(client);
    } finally {
      client.destroy();
    }
  };
  await row("redis", "offline, without a queue", "TRANSIENT", "redis", () =>
    opened({ disableOfflineQueue: true }, (client) => {
      // Not awaited: a command before the connection is there.
      client.connect().catch(() => {});
      return client.set("key", "value");
    }),
  );
  await row("redis", "no answer in time", "TRANSIENT", "redis", () =>
    opened({ socket: { socketTimeout: 20, reconnectStrategy: false } }, async (client) => {
      await client.connect();
      return client.blPop("nothing", 0);
    }),
  );
  await row("redis", "closed by the program", "PERMANENT", "redis", async () => {
    const client = createClient({ socket: { ...WORDS, port } });
    await client.connect();
    client.destroy();
    return client.set("key", "value");
  });
}

/** Packages of the system. */
export const needs = ["redis-server"];

export const clients = Object.fromEntries(
  Object.entries(CLIENTS).map(([name, open]) => [name, (lab) => rows(name, open, lab)]),
);
