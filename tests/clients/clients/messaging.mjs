// Clients of brokers and of SMTP.

import amqp from "amqplib";
import mqtt from "mqtt";
import { connect as connectNats } from "nats";
import nodemailer from "nodemailer";
import { startMosquitto, startNats, startRabbit } from "../lab/brokers.mjs";
import { freePort } from "../lab/processes.mjs";
import { startSmtp } from "../lab/smtp.mjs";

const quiet = (emitter) => emitter.on("error", () => {});

/** Runs `use` with what `open` has opened, and closes that after it. */
async function within(open, close, use) {
  const opened = await open();
  try {
    return await use(opened);
  } finally {
    await Promise.resolve(close(opened)).catch(() => {});
  }
}

async function amqplib({ row, shared }) {
  const server = await shared("rabbitmq", startRabbit);
  const open = (name, more) => async () => quiet(await amqp.connect({ ...server.address(name), ...more }));
  const channel = (name, use) =>
    within(
      open(name),
      (connection) => connection.close(),
      async (connection) => use(quiet(await connection.createChannel())),
    );
  const fault = (name, want, provoke) => row("amqplib", name, want, "amqp", provoke);
  await fault("wrong password", "PERMISSION", open("admin", { password: "wrong" }));
  await fault("no right to the virtual host", "PERMANENT", open("stranger"));
  await fault("no such queue", "PERMANENT", () => channel("admin", (one) => one.checkQueue("none")));
  await fault("no permission", "PERMISSION", () => channel("visitor", (one) => one.assertQueue("forbidden")));
  await fault("another queue of that name", "PERMANENT", () =>
    channel("admin", async (one) => {
      await one.assertQueue("taken", { durable: false });
      return one.assertQueue("taken", { durable: true });
    }),
  );
  await fault("another connection's exclusive queue", "CONCURRENCY", () =>
    channel("admin", async (one) => {
      await one.assertQueue("own", { exclusive: true });
      return channel("admin", (other) => other.assertQueue("own"));
    }),
  );
  // The broker says so; of a connection that is lost the client learns as of an error.
  for (const [name, signal, event] of [
    ["shut down", "SIGTERM", "close"],
    ["killed", "SIGKILL", "error"],
  ]) {
    await fault(name, "TRANSIENT", () =>
      within(
        open("admin"),
        (connection) => connection.close(),
        async (connection) => {
          const failed = new Promise((_, reject) => connection.on(event, reject));
          await Promise.all([server.end(signal), failed]);
        },
      ),
    );
    if (signal === "SIGTERM") await server.run();
  }
  await fault("refused", "TRANSIENT", open("admin", { port: await freePort() }));
}

async function nats({ row, shared }) {
  const server = await shared("nats", startNats);
  const user = { user: "visitor", pass: "visitor" };
  const open = (more) => () =>
    connectNats({ servers: `127.0.0.1:${server.port}`, reconnect: false, timeout: 5_000, ...user, ...more });
  const connected = (use) => within(open(), (connection) => connection.close(), use);
  const fault = (name, want, provoke) => row("nats", name, want, "nats", provoke);
  await fault("wrong password", "AUTH", open({ pass: "wrong" }));
  await fault("no responders", "TRANSIENT", () => connected((one) => one.request("open", "", { timeout: 5_000 })));
  await fault("time-out", "TRANSIENT", () =>
    connected((one) => {
      one.subscribe("silent");
      return one.request("silent", "", { timeout: 50 });
    }),
  );
  await fault("no permission", "PERMISSION", () =>
    connected(async (one) => {
      for await (const message of one.subscribe("secret.>")) return message;
    }),
  );
  await fault("killed", "TRANSIENT", () =>
    connected(async (one) => {
      one.subscribe("silent");
      const waiting = one.request("silent", "", { timeout: 20_000 });
      waiting.catch(() => {});
      await one.flush();
      await server.end("SIGKILL");
      return waiting;
    }),
  );
  await fault("refused", "TRANSIENT", open());
}

async function mqttRows(protocolVersion, { row, shared }) {
  const server = await shared("mosquitto", startMosquitto);
  const options = { port: server.port, host: "127.0.0.1", protocolVersion, reconnectPeriod: 0, queueQoSZero: false };
  const user = { username: "visitor", password: "visitor" };
  const open = (more) => () => mqtt.connectAsync({ ...options, ...user, ...more }, undefined, false);
  const connected = (use) =>
    within(
      open(),
      (client) => client.endAsync(true),
      (client) => use(quiet(client)),
    );
  const fault = (name, want, provoke) =>
    row(`mqtt on ${protocolVersion === 5 ? "5" : "3.1.1"}`, name, want, "mqtt", provoke);
  await fault("wrong password", "PERMISSION", open({ password: "wrong" }));
  if (protocolVersion === 5) {
    await fault("no permission", "PERMISSION", () => connected((one) => one.publishAsync("secret", "x", { qos: 1 })));
  }
  await fault("killed", "TRANSIENT", () =>
    connected(async (one) => {
      const closed = new Promise((resolve) => one.once("close", resolve));
      await server.end("SIGKILL");
      await closed;
      return one.publishAsync("open", "x");
    }),
  );
  await fault("refused", "TRANSIENT", open());
  await server.run();
}

const STATUSES = [
  ["greylisted", "TRANSIENT", { from: 450 }],
  ["no such mailbox", "PERMANENT", { to: 550 }],
  ["mailbox full", "TRANSIENT", { to: 452 }],
  ["message refused", "PERMANENT", { data: 554 }],
  ["shutting down", "TRANSIENT", { data: 421 }],
];

async function mail({ row, shared }) {
  const server = await shared("smtp", startSmtp);
  const message = { from: "a@lab.invalid", to: "b@lab.invalid", text: "hello" };
  const send = (faults, more) => async () => {
    server.play(faults);
    const address = { host: "127.0.0.1", port: server.port, auth: { user: "visitor", pass: "visitor" } };
    return nodemailer.createTransport({ ...address, ignoreTLS: true, ...more }).sendMail(message);
  };
  const fault = (name, want, provoke) => row("nodemailer", name, want, "smtp", provoke);
  for (const [name, want, faults] of STATUSES) await fault(name, want, send(faults));
  await fault("wrong password", "AUTH", send({}, { auth: { user: "visitor", pass: "wrong" } }));
  await fault("no login", "AUTH", send({ from: 530 }, { auth: undefined }));
  await fault("hang", "TRANSIENT", send({ hang: true }, { greetingTimeout: 100, connectionTimeout: 5_000 }));
  await fault("lost", "TRANSIENT", send({ lost: true }));
  await fault("refused", "TRANSIENT", send({}, { port: await freePort() }));
  await fault("unknown host", "TRANSIENT", send({}, { host: "no-such-host.invalid" }));
}

/** Packages of the system. */
export const needs = ["rabbitmq-server", "nats-server", "mosquitto"];

export const clients = {
  amqplib,
  nats,
  "mqtt on 3.1.1": (lab) => mqttRows(4, lab),
  "mqtt on 5": (lab) => mqttRows(5, lab),
  nodemailer: mail,
};
