// A process that consumes a queue of RabbitMQ, until it is killed.

import amqp from "amqplib";
import { consumer } from "redress/amqp";
import { ask, policyOf } from "./jobs.mjs";

const { name, queue, address, url, deadLetter } = JSON.parse(process.argv[2]);
const idOf = ({ content }) => JSON.parse(content).id;
const connection = await amqp.connect(address);
const channel = await connection.createConfirmChannel();
await channel.prefetch(5);
const run = consumer(
  channel,
  (message) => policyOf(idOf(message)),
  async (message, attempt) => {
    await ask(url, idOf(message), attempt, name);
    channel.publish("", `${queue}.done`, message.content);
  },
  { queue, deadLetter },
);
await channel.consume(queue, run);
process.on("disconnect", () => process.exit(0));
process.send("ready");
