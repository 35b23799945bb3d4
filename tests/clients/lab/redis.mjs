// Redis servers in folders of their own, and what has them fail.

import { createClient } from "redis";
import { connects, freePort, readiness, start, stop, temporary } from "./processes.mjs";

/** A client that fails at once instead of connecting anew. */
async function connected(port, options = {}) {
  const client = createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: false }, ...options });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Starts a server with these settings: its port, `admin` runs a command, and what stops and restarts it. */
async function startServer(name, settings = {}) {
  const folder = temporary(name);
  const port = await freePort();
  const common = { port, bind: "127.0.0.1", dir: folder, save: "", "enable-debug-command": "yes" };
  const wordsOf = (all) =>
    Object.entries(all).flatMap(([key, value]) => [`--${key}`, ...(value === "" ? [""] : String(value).split(" "))]);
  let child;
  async function run(more = {}) {
    child = start("/usr/bin/redis-server", wordsOf({ ...common, ...settings, ...more }), { cwd: folder });
    await readiness(child, () => connects(port));
  }
  const admin = async (...command) => {
    const client = await connected(port, settings.requirepass && { password: settings.requirepass });
    try {
      return await client.sendCommand(command.map(String));
    } finally {
      client.destroy();
    }
  };
  await run();
  return {
    port,
    admin,
    /** Stops it as a crash does. */
    kill: () => stop(child, "SIGKILL"),
    run,
    stop: () => stop(child),
  };
}

async function until(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Starts a server for each state: plain, with a password and a user who may little, full, a replica, part of a cluster, and one that loads for long. */
export async function startRedis() {
  const plain = await startServer("redis");
  const guarded = await startServer("redis-guarded", { requirepass: "secret" });
  await guarded.admin("ACL", "SETUSER", "visitor", "on", ">visitor", "~*", "+@connection", "+get", "+info");
  const full = await startServer("redis-full", { "maxmemory-policy": "noeviction" });
  await full.admin("CONFIG", "SET", "maxmemory", "1");
  const replica = await startServer("redis-replica", { replicaof: `127.0.0.1 ${plain.port}` });
  // All slots are the other node's.
  const clustered = async () =>
    startServer("redis-cluster", { "cluster-enabled": "yes", "cluster-port": await freePort() });
  const [cluster, other] = [await clustered(), await clustered()];
  await other.admin("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
  const [, bus] = /@(\d+)/.exec(await other.admin("CLUSTER", "NODES"));
  await cluster.admin("CLUSTER", "MEET", "127.0.0.1", other.port, bus);
  await until(async () => /cluster_state:ok/.test(await cluster.admin("CLUSTER", "INFO")));
  await until(async () => /master_link_status:up/.test(await replica.admin("INFO", "replication")));
  // It takes half a minute to load its keys, and answers meanwhile.
  const loading = await startServer("redis-loading");
  await loading.admin("DEBUG", "POPULATE", 2_000);
  await loading.admin("SAVE");
  await loading.kill();
  await loading.run({ "key-load-delay": 15_000, "loading-process-events-interval-bytes": 1_024 });
  const all = { plain, guarded, full, replica, cluster, other, loading };
  return {
    ...all,
    async stop() {
      await Promise.all(Object.values(all).map((server) => server.stop()));
    },
  };
}
