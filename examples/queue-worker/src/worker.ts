// What a job is, and the worker that does it: one request to a service, under a policy with a breaker.

import { type Job, Worker } from "bullmq";
import { backoff, CircuitBreaker, Policy } from "redress";
import { processor } from "redress/bullmq";

export const QUEUE = "charges";

/** A charge: its id is also the key by which the service does it once. */
export interface Charge {
  readonly id: string;
  readonly cents: number;
}

/** Where both are, and what ends the worker. */
export interface Where {
  readonly redis: string;
  readonly service: string;
  /** Jobs that are under way are given back to the queue. */
  readonly stops?: AbortSignal;
}

/** While the service is out, five failures open it; then jobs wait in the queue for its next probe, and spend no attempt. */
const circuitBreaker = new CircuitBreaker({ failureThreshold: 5, windowMs: 10_000, recoveryTimeoutMs: 1_000 });
const policy = new Policy({
  circuitBreaker,
  retry: {
    strategy: backoff.retryAfterOr(backoff.decorrelatedJitter({ baseMs: 200, maxMs: 5_000 })),
    maxAttempts: 8,
    attemptTimeoutMs: 5_000,
    deadlineMs: 600_000,
  },
});

export async function startWorker({ redis, service, stops }: Where): Promise<Worker> {
  const run = processor(
    policy,
    async ({ data }: Job<Charge>, { attempt, signal }) => {
      const response = await fetch(service, {
        method: "POST",
        headers: { "idempotency-key": data.id, "x-attempt": String(attempt), "x-worker": String(process.pid) },
        body: JSON.stringify(data),
        signal,
      });
      if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
      return (await response.json()) as { charged: number };
    },
    { signal: stops },
  );
  const worker = new Worker<Charge>(QUEUE, run, {
    connection: { url: redis, maxRetriesPerRequest: null },
    concurrency: 10,
    // A job whose worker was killed is another's after these two, and may meet that ten times.
    lockDuration: 5_000,
    stalledInterval: 2_000,
    maxStalledCount: 10,
  });
  worker.on("error", () => {
    // Redis is away: the worker connects anew by itself.
  });
  await worker.waitUntilReady();
  return worker;
}
