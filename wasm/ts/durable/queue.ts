// Calls that are deferred to a queue.

import { number } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { LONGEST_DELAY_MS, seconds } from "../queues/limits.js";
import type { Resume } from "../types.js";

/** A message of a queue. */
interface Message {
  /** Gives the message back to its queue. */
  retry(options: {
    /** For how long, in whole seconds. */
    delaySeconds: number;
  }): unknown;
}

/** How a call ended. */
interface Ended {
  /** Why the call stopped: SCHEDULED if it was deferred. */
  readonly stopReason: unknown;
  /** After how many milliseconds to come back; Infinity is as long as can be. */
  readonly nextSleepMs: number | null;
}

/**
 * Gives a queue's message back for later if its call was deferred; whether it was. The delay is rounded up to whole
 * seconds, at most twelve hours. The message is the same again, so that its next call begins anew.
 *
 * With `send` the call goes on: put what it is given into a message of its own, `(resume, options) => queue.send({
 * ...message.body, resume }, options)`, whose call is `execute(operation, { resume })`. Then the old message is
 * acknowledged; if `send` fails, it is not, and the promise is rejected.
 */
export function deferMessage(message: Message, outcome: Ended): boolean;
export function deferMessage(
  message: {
    /** Takes the message out of its queue. */
    ack(): unknown;
  },
  outcome: Ended & {
    /** What the call has behind it. */
    readonly resume?: Resume | null;
  },
  send: (
    resume: Resume,
    options: {
      /** For how long the new message is delayed, in whole seconds. */
      delaySeconds: number;
    },
  ) => PromiseLike<unknown>,
): Promise<boolean>;
export function deferMessage(
  message: Partial<Message> & { ack?(): unknown },
  outcome: Ended & { readonly resume?: Resume | null },
  send?: (resume: Resume, options: { delaySeconds: number }) => PromiseLike<unknown>,
): boolean | Promise<boolean> {
  if (outcome.stopReason !== "SCHEDULED") return send === undefined ? false : Promise.resolve(false);
  const { nextSleepMs, resume } = outcome;
  // Infinity is as long as can be.
  const ms =
    nextSleepMs === Infinity
      ? LONGEST_DELAY_MS.cloudflare
      : number("deferMessage.nextSleepMs", nextSleepMs, [undefined]);
  const options = { delaySeconds: seconds(Math.min(LONGEST_DELAY_MS.cloudflare, ms)) };
  if (send === undefined) {
    message.retry!(options);
    return true;
  }
  return sent(message, send(resume ?? refuse("deferMessage.resume", resume, "that of a deferred call"), options));
}

/** Acknowledges a message once another one stands for it. */
async function sent(message: { ack?(): unknown }, sending: PromiseLike<unknown>): Promise<true> {
  await sending;
  message.ack!();
  return true;
}
