// A consumer is the `queue` of a worker, by the shapes of Cloudflare's types.

import { backoff, Policy } from "redress";
import { consumer } from "redress/cloudflare";

interface Order {
  id: number;
}

/** As @cloudflare/workers-types has them. */
interface Message<Body> {
  readonly id: string;
  readonly timestamp: Date;
  readonly body: Body;
  readonly attempts: number;
  retry(options?: { delaySeconds?: number }): void;
  ack(): void;
}

interface Batch<Body> {
  readonly messages: readonly Message<Body>[];
  readonly queue: string;
}

interface Queue<Body> {
  send(message: Body, options?: { contentType?: "json"; delaySeconds?: number }): Promise<void>;
}

interface Env {
  ORDERS: Queue<Order>;
  DEAD: Queue<Order>;
}

const policy = new Policy({ retry: { strategy: backoff.constant(1_000), maxAttempts: 3 } });
const run = consumer(policy, async ({ body }: Message<Order>, { signal }, env: Env) => [body.id, signal, env.DEAD], {
  queue: ({ ORDERS }) => ORDERS,
  deadLetter: ({ DEAD }) => DEAD,
});
const worker: { queue(batch: Batch<Order>, env: Env): Promise<void> } = { queue: run };
// @ts-expect-error: where do messages go that were stopped?
consumer(policy, () => 1, { queue: (env: Env) => env.ORDERS });

export default worker;
