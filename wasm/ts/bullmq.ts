// `redress/bullmq`: jobs of BullMQ under a policy.

export { type BullJob, processor, StoppedJobError } from "./queues/bullmq.js";
export type { JobOptions, JobPolicy } from "./queues/jobs.js";
