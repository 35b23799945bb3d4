// RabbitMQ, NATS and Mosquitto, each in a folder of its own.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import amqp from "amqplib";
import { connects, execute, freePort, readiness, start, stop, temporary } from "./processes.mjs";

/** What all of them have: a port, and what kills the server and starts it again. */
function restartable(port, run) {
  let child;
  return {
    port,
    async run() {
      child = await run();
    },
    async end(signal) {
      await stop(child, signal);
    },
    stop: () => stop(child),
  };
}

/** Starts RabbitMQ, with a user who may nothing. */
export async function startRabbit() {
  const folder = temporary("rabbitmq");
  const [port, distribution, mapper] = [await freePort(), await freePort(), await freePort()];
  const node = `lab${port}@localhost`;
  const definitions = join(folder, "definitions.json");
  const user = (name) => ({ name, password: name, tags: "" });
  const all = { configure: ".*", write: ".*", read: ".*" };
  writeFileSync(
    definitions,
    JSON.stringify({
      users: [user("admin"), user("visitor"), user("stranger")],
      vhosts: [{ name: "/" }],
      permissions: [
        { user: "admin", vhost: "/", ...all },
        { user: "visitor", vhost: "/", configure: "^$", write: "^$", read: "^$" },
      ],
    }),
  );
  const config = join(folder, "rabbitmq.conf");
  writeFileSync(
    config,
    `listeners.tcp.local = 127.0.0.1:${port}\nload_definitions = ${definitions}\nlog.console = true\n`,
  );
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    ERL_EPMD_PORT: String(mapper),
    RABBITMQ_NODENAME: node,
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 1:1",
  };
  // Else the broker starts one that stays.
  start("epmd", ["-port", mapper, "-address", "127.0.0.1"], { env });
  const address = (name) => ({ hostname: "127.0.0.1", port, username: name, password: name });
  const server = restartable(port, async () => {
    const child = start("/usr/lib/rabbitmq/bin/rabbitmq-server", [], { env, detached: true });
    await readiness(child, async () => (await amqp.connect(address("admin"))).close());
    return child;
  });
  await server.run();
  return { ...server, address };
}

/** Starts NATS, with a user who may not subscribe to what begins with `secret`. */
export async function startNats() {
  const folder = temporary("nats");
  const port = await freePort();
  const config = join(folder, "nats.conf");
  const visitor = '{ user: visitor, password: visitor, permissions: { subscribe: { deny: "secret.>" } } }';
  writeFileSync(config, `listen: "127.0.0.1:${port}"\nauthorization: { users: [${visitor}] }\n`);
  const server = restartable(port, async () => {
    const child = start("/usr/sbin/nats-server", ["-c", config]);
    await readiness(child, () => connects(port));
    return child;
  });
  await server.run();
  return server;
}

/** Starts Mosquitto, with a user who may subscribe to nothing. */
export async function startMosquitto() {
  const folder = temporary("mosquitto");
  const port = await freePort();
  const [config, passwords, rights] = ["conf", "passwords", "rights"].map((name) => join(folder, name));
  writeFileSync(passwords, "");
  execute("mosquitto_passwd", ["-b", passwords, "visitor", "visitor"]);
  writeFileSync(rights, "user visitor\ntopic write open\n");
  const lines = ["user root", `listener ${port} 127.0.0.1`, `password_file ${passwords}`, `acl_file ${rights}`];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const server = restartable(port, async () => {
    const child = start("/usr/sbin/mosquitto", ["-c", config]);
    await readiness(child, () => connects(port));
    return child;
  });
  await server.run();
  return server;
}
