// A processor fits the worker of BullMQ, whose job and value it keeps.

import { type Job, Worker } from "bullmq";
import { backoff, Policy } from "redress";
import { processor, StoppedJobError } from "redress/bullmq";

interface Order {
  id: number;
}

const policy = new Policy({ retry: { strategy: backoff.constant(1_000), maxAttempts: 3 } });
const run = processor(policy, async (job: Job<Order>, { attempt, signal }) => {
  signal.addEventListener("abort", () => {});
  return { order: job.data.id, attempt };
});
const connection = { host: "127.0.0.1", port: 1 };
const worker = new Worker<Order, { order: number; attempt: number }>("orders", run, { connection, autorun: false });
worker.on("failed", (_, error) => {
  if (error instanceof StoppedJobError) console.log(error.stopReason, error.lastClass, error.attempts);
});
// A policy for each job.
new Worker<Order>(
  "orders",
  processor(
    ({ data }: Job<Order>) => (data.id > 7 ? policy : policy),
    () => 7,
  ),
  {
    connection,
    autorun: false,
  },
);
// @ts-expect-error: no policy.
processor({}, () => 7);
// @ts-expect-error: what a job carries is not an option.
processor(policy, () => 7, { resume: null });
