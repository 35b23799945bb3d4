// The longest delay that each queue can be asked for, and a longer one in portions.

/** The longest delay of each queue, in milliseconds. A longer one is asked for again as often as it takes. */
export const LONGEST_DELAY_MS = {
  /** BullMQ has no limit of its own, but keeps instants of before September 2039: ten years. */
  bullmq: 315_360_000_000,
  /** RabbitMQ, whose times are at most 4,294,967,295 ms: 48 days, which leaves room for how long an idle delay queue stays. */
  amqp: 31 * 2 ** 27,
  /** Queues of Cloudflare: twelve hours. */
  cloudflare: 43_200_000,
  /** A message that is sent to SQS: `DelaySeconds` of 15 minutes. */
  sqs: 900_000,
  /** A message that SQS has delivered: `VisibilityTimeout` of twelve hours, counted from its first delivery on. */
  sqsVisibility: 43_200_000,
} as const;

/** A delay as its queue carries it. */
export interface Portion {
  /** What the queue is asked for, in milliseconds. */
  readonly delayMs: number;
  /** What is left after that, in milliseconds: it is waited for before the job is run. */
  readonly leftMs: number;
}

/** The portion of a delay that a queue can be asked for at once. */
export function portion(delayMs: number, longestMs: number): Portion {
  const now = Math.min(delayMs, longestMs);
  // Infinity is as long as can be.
  return { delayMs: now, leftMs: Math.min(delayMs, Number.MAX_SAFE_INTEGER) - now };
}

/** A delay in whole seconds, never shorter. */
export const seconds = (delayMs: number): number => Math.ceil(delayMs / 1000);
