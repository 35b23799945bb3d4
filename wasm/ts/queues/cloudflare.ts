// Queues of Cloudflare: a deferred message is sent anew with a delay, and what a policy has stopped is sent to another queue.

import { isOptions, object, optionValue } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type { Attempt, Resume } from "../types.js";
import {
  type Carried,
  carriedOf,
  type JobOptions,
  type JobPolicy,
  JobRunner,
  lineOf,
  messageOf,
  reasonOf,
  type Stopped,
} from "./jobs.js";
import { LONGEST_DELAY_MS, portion, seconds } from "./limits.js";

/** What is needed of a message of a queue. */
export interface CloudflareMessage {
  /** What was sent: an object, in which `redress` is what a deferred message carries. */
  readonly body: any;
  /** Takes it out of its queue. */
  ack(): void;
  /** Gives it back. */
  retry(): void;
}

/** What is needed of a batch. */
export interface CloudflareBatch<M> {
  /** Its messages. */
  readonly messages: readonly M[];
}

/** What is needed of a binding of a queue. */
export interface CloudflareQueue {
  /** Sends a message, after a delay in whole seconds. */
  send(
    body: any,
    options?: {
      /** The delay, 0 to 43,200. */
      delaySeconds?: number;
    },
  ): PromiseLike<unknown>;
}

/** The options of a consumer. */
export interface CloudflareOptions<E> extends JobOptions {
  /** The queue that is consumed, of the bindings: deferred messages are sent to it. */
  queue: (env: E) => CloudflareQueue;
  /**
   * Where messages go that the policy has stopped, of the bindings, with why in `redress`. null acknowledges them: they are
   * gone. The queue's own `dead_letter_queue` cannot be asked for: it gets what was delivered `max_retries` times too often.
   */
  deadLetter: ((env: E) => CloudflareQueue) | null;
  /** Gets what went wrong with a queue, and why messages have stopped without a `deadLetter`; `console.error` by default. */
  onError?: ((error: unknown, message: unknown) => unknown) | undefined;
}

/**
 * The `queue` of a worker: `export default { queue: consumer(policy, ({ body }, { signal }) => .., { queue: (env) => env.JOBS,
 * deadLetter: (env) => env.DEAD }) }`. The messages of a batch are run at the same time. Each is acknowledged after a success, or
 * once its deferred copy is sent; bodies must be objects.
 */
export function consumer<M extends CloudflareMessage, E>(
  policy: JobPolicy<M>,
  operation: (message: M, attempt: Attempt, env: E) => unknown,
  options: CloudflareOptions<E>,
): (batch: CloudflareBatch<M>, env: E) => Promise<void> {
  const { queue, deadLetter, onError, ...settings } = object("consumer", options) as CloudflareOptions<E>;
  if (typeof queue !== "function") refuse("consumer.queue", queue, "a function that gives the queue of the bindings");
  if (deadLetter !== null && typeof deadLetter !== "function")
    refuse("consumer.deadLetter", deadLetter, "a function that gives a queue of the bindings, or null for none");
  if (typeof operation !== "function") refuse("consumer.operation", operation, "a function");
  optionValue("consumer.onError", onError, "function");
  const runner = new JobRunner<M>(policy, settings, "consumer");
  const report = onError ?? console.error;

  async function defer(message: M, env: E, delay: number, resume: Resume | null): Promise<void> {
    const { delayMs, leftMs } = portion(delay, LONGEST_DELAY_MS.cloudflare);
    const redress: Carried = { resume, leftMs };
    await queue(env).send({ ...message.body, redress }, { delaySeconds: seconds(delayMs) });
  }

  async function fail(message: M, env: E, why: Stopped): Promise<void> {
    if (deadLetter === null) return void report(new Error(lineOf(why), { cause: why.cause }), message);
    const { lastClass, attempts } = why;
    const redress = { stopReason: reasonOf(why), class: lastClass, attempts, error: messageOf(why).slice(0, 1_000) };
    await deadLetter(env).send({ ...message.body, redress });
  }

  async function handle(message: M, env: E): Promise<void> {
    const { body } = message;
    if (!isOptions(body)) refuse("message.body", body, "an object, which carries what is behind a deferred message");
    const next = await runner.run(message, (attempt) => operation(message, attempt, env), carriedOf(body["redress"]));
    if (next.next === "release") return message.retry();
    if (next.next === "defer") await defer(message, env, next.delayMs, next.resume);
    if (next.next === "fail") await fail(message, env, next.why);
    message.ack();
  }

  return async ({ messages }, env) => {
    const handled = messages.map(async (message) => {
      try {
        await handle(message, env);
      } catch (error) {
        // The queue counts it, and dead-letters by itself what comes back too often.
        message.retry();
        report(error, message);
      }
    });
    await Promise.all(handled);
  };
}
