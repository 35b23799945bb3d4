// A consumer fits a confirm channel of amqplib, and no other.

import { type ConsumeMessage, connect } from "amqplib";
import { backoff, Policy } from "redress";
import { consumer } from "redress/amqp";

const policy = new Policy({ retry: { strategy: backoff.constant(1_000), maxAttempts: 3 } });

export async function start(): Promise<string> {
  const connection = await connect("amqp://127.0.0.1:1");
  const channel = await connection.createConfirmChannel();
  const run = consumer(
    channel,
    policy,
    async (message: ConsumeMessage, { signal }) => {
      signal.addEventListener("abort", () => {});
      return message.content.toString();
    },
    { queue: "orders", deadLetter: { exchange: "dead" }, onError: (error) => console.error(error) },
  );
  // @ts-expect-error: no queue.
  consumer(channel, policy, () => 1, {});
  // @ts-expect-error: a channel without confirms.
  consumer(await connection.createChannel(), policy, () => 1, { queue: "orders" });
  const { consumerTag } = await channel.consume("orders", run);
  return consumerTag;
}
