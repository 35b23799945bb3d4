// Messages of RabbitMQ, by amqplib: a deferred one waits in a delay queue, and what a policy has stopped is dead-lettered.

import { read } from "../classify/facts.js";
import { object, optionValue } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type { Attempt, Resume } from "../types.js";
import {
  type Carried,
  carriedOf,
  type JobOptions,
  type JobPolicy,
  JobRunner,
  messageOf,
  reasonOf,
  type Stopped,
} from "./jobs.js";
import { LONGEST_DELAY_MS, portion } from "./limits.js";

/** What is needed of a message of amqplib. */
export interface AmqpMessage {
  /** Its body, which is never read. */
  readonly content: any;
  /** How it was delivered. */
  readonly fields: {
    /** Where it was published with; of a deferred one the queue. */
    readonly routingKey: string;
  };
  /** Its properties: a deferred copy has the same, but no `expiration` and no `userId`. */
  readonly properties: {
    /** Its headers. */
    readonly headers?: any;
    /** The type of its body. */
    readonly contentType?: any;
    /** How its body is encoded. */
    readonly contentEncoding?: any;
    /** Whether it is kept on disk: 2. */
    readonly deliveryMode?: any;
    /** Its priority. */
    readonly priority?: any;
    /** Which request it answers. */
    readonly correlationId?: any;
    /** Where an answer goes. */
    readonly replyTo?: any;
    /** Its own name. */
    readonly messageId?: any;
    /** When it was made. */
    readonly timestamp?: any;
    /** Its kind, for the application. */
    readonly type?: any;
    /** Which application made it. */
    readonly appId?: any;
  };
}

/** What is needed of a confirm channel of amqplib. */
export interface AmqpChannel {
  /** Makes a queue, unless it is there. */
  assertQueue(queue: string, options: any): PromiseLike<unknown>;
  /** Publishes a message; the callback gets an error, or null once the server has it. */
  publish(exchange: string, routingKey: string, content: any, options: any, confirmed: (error: any) => void): boolean;
  /** Takes a message out of its queue. */
  ack(message: any): void;
  /** Gives a message back, or has the queue dead-letter it. */
  nack(message: any, allUpTo?: boolean, requeue?: boolean): void;
  /** Resolves when everything is confirmed: by this a confirm channel is known. */
  waitForConfirms(): Promise<void>;
  /** Listens to messages that no queue took. */
  on(event: "return", listener: (message: any) => void): unknown;
}

/** The options of a consumer. */
export interface AmqpOptions extends JobOptions {
  /** The queue that is consumed: deferred messages come back to it. */
  queue: string;
  /**
   * Where messages go that the policy has stopped, with headers that say why. Without it they are rejected without requeueing,
   * and the queue's own `x-dead-letter-exchange` has them, without those headers; a queue that has none drops them.
   */
  deadLetter?:
    | {
        /** The exchange; "" for the one by which a queue's name is its routing key. */
        exchange: string;
        /** By default the queue's name. */
        routingKey?: string | undefined;
      }
    | undefined;
  /** Gets what went wrong between the worker and the server, with the message that it was about; `console.error` by default. */
  onError?: ((error: unknown, message: unknown) => unknown) | undefined;
}

/** What a deferred message carries in this header, as JSON. */
const HEADER = "x-redress";
/** What tells a copy from another one until it is confirmed. */
const COPY = "x-redress-copy";
/** How long a delay queue stays that nothing is published to, beyond its delay, in milliseconds. */
const IDLE_MS = 60_000;

/**
 * A delay as a delay queue has it: five significant bits, at most a sixteenth longer. All messages of a queue have the same
 * delay, so that none waits behind one that is due later, and few queues are enough for all delays.
 */
function bucketMs(delayMs: number): number {
  const whole = Math.max(1, Math.ceil(delayMs));
  const step = 2 ** Math.max(0, Math.floor(Math.log2(whole)) - 4);
  return Math.ceil(whole / step) * step;
}

/**
 * The function of `channel.consume(queue, consumer(channel, policy, (message, { signal }) => .., { queue }))`, on a confirm
 * channel. A message is acknowledged after a success, or once the server has confirmed its deferred copy.
 */
export function consumer<M extends AmqpMessage>(
  channel: AmqpChannel,
  policy: JobPolicy<M>,
  operation: (message: M, attempt: Attempt) => unknown,
  options: AmqpOptions,
): (message: M | null) => Promise<void> {
  const { queue, deadLetter, onError, ...settings } = object("consumer", options) as AmqpOptions;
  if (typeof read(channel, "waitForConfirms") !== "function")
    refuse(
      "consumer.channel",
      channel,
      "a confirm channel of the package amqplib: await connection.createConfirmChannel()",
    );
  if (typeof queue !== "string" || queue === "") refuse("consumer.queue", queue, "the name of the queue");
  if (deadLetter !== undefined && typeof read(deadLetter, "exchange") !== "string")
    refuse("consumer.deadLetter", deadLetter, "an object with the name of an exchange");
  if (typeof operation !== "function") refuse("consumer.operation", operation, "a function");
  optionValue("consumer.onError", onError, "function");
  const runner = new JobRunner<M>(policy, settings, "consumer");
  const publisher = new Publisher(channel);
  const report = (error: unknown, message: M | null) => (onError ?? console.error)(error, message);

  /** Has a copy wait in a delay queue, and takes the message out of its own once that is confirmed. */
  async function defer(message: M, delay: number, resume: Resume | null): Promise<void> {
    const { delayMs, leftMs } = portion(delay, LONGEST_DELAY_MS.amqp);
    const ms = bucketMs(delayMs);
    const waiting = `${queue}.redress.${ms}`;
    try {
      // Each time, for that is what keeps it: a queue that expires takes its messages with it.
      await channel.assertQueue(waiting, {
        durable: true,
        arguments: {
          "x-message-ttl": ms,
          "x-expires": ms + IDLE_MS,
          "x-dead-letter-exchange": "",
          "x-dead-letter-routing-key": queue,
        },
      });
      await publisher.publish("", waiting, message, { [HEADER]: JSON.stringify({ resume, leftMs } satisfies Carried) });
    } catch (error) {
      channel.nack(message, false, true);
      throw error;
    }
    channel.ack(message);
  }

  /** Dead-letters a message. */
  async function fail(message: M, why: Stopped): Promise<void> {
    if (deadLetter === undefined) return channel.nack(message, false, false);
    const headers = {
      "x-redress-stop-reason": reasonOf(why),
      "x-redress-class": why.lastClass ?? "",
      "x-redress-attempts": why.attempts,
      "x-redress-error": messageOf(why).slice(0, 1_000),
    };
    try {
      await publisher.publish(deadLetter.exchange, deadLetter.routingKey ?? queue, message, headers);
    } catch (error) {
      channel.nack(message, false, false);
      throw error;
    }
    channel.ack(message);
  }

  async function handle(message: M): Promise<void> {
    const carried = carriedBy(message);
    const next = await runner.run(message, (attempt) => operation(message, attempt), carried, { operation: queue });
    switch (next.next) {
      case "done":
        return channel.ack(message);
      case "defer":
        return defer(message, next.delayMs, next.resume);
      case "release":
        return channel.nack(message, false, true);
      case "fail":
        return fail(message, next.why);
    }
  }

  return async (message) => {
    try {
      if (message === null) throw new Error(`the server has cancelled the consumer of ${queue}`);
      await handle(message);
    } catch (error) {
      // A channel that has closed gives its messages back by itself.
      report(error, message);
    }
  };
}

/** What a message carries. */
function carriedBy({ properties }: AmqpMessage): Carried {
  const text = read(properties.headers, HEADER);
  try {
    return carriedOf(text === undefined ? undefined : JSON.parse(String(text)));
  } catch {
    // It fails by its own words.
    return carriedOf(text);
  }
}

/** Headers that are of one delivery: where a message has been, where copies of it go, and what we put there. */
const OF_DELIVERY = /^(x-death|x-(first|last)-death-.*|CC|BCC|x-redress|x-redress-.*)$/;

/** The copies that this process has made. */
let latest = 0;

/** Publishes copies of messages, and waits until the server has them. */
class Publisher {
  readonly #channel: AmqpChannel;
  /** Copies that are not confirmed yet, and whether the server has returned them. */
  readonly #pending = new Map<unknown, boolean>();

  constructor(channel: AmqpChannel) {
    this.#channel = channel;
    // The server returns what no queue took, and confirms it all the same, after that. A channel may have other publishers.
    channel.on("return", (message) => {
      const copy = read(read(read(message, "properties"), "headers"), COPY);
      if (this.#pending.has(copy)) this.#pending.set(copy, true);
    });
  }

  /** Publishes a copy with these headers besides its own. Rejects if no queue took it, or if the server did not say so. */
  publish(exchange: string, routingKey: string, message: AmqpMessage, more: Record<string, unknown>): Promise<void> {
    const { headers, contentType, contentEncoding, deliveryMode, priority } = message.properties;
    const { correlationId, replyTo, messageId, timestamp, type, appId } = message.properties;
    const kept = Object.entries(headers ?? {}).filter(([name]) => !OF_DELIVERY.test(name));
    const copy = (latest += 1);
    this.#pending.set(copy, false);
    const options = {
      contentType,
      contentEncoding,
      deliveryMode,
      priority,
      correlationId,
      replyTo,
      messageId,
      timestamp,
      type,
      appId,
      mandatory: true,
      headers: { ...Object.fromEntries(kept), ...more, [COPY]: copy },
    };
    return new Promise((resolve, reject) => {
      this.#channel.publish(exchange, routingKey, message.content, options, (error) => {
        const isReturned = this.#pending.get(copy);
        this.#pending.delete(copy);
        const to = `${exchange || "default exchange"}, ${routingKey}`;
        if (error || isReturned) reject(error ?? new Error(`no queue took it: ${to}`));
        else resolve();
      });
    });
  }
}
