// `redress/cloudflare`: messages of Cloudflare's queues under a policy.

export {
  type CloudflareBatch,
  type CloudflareMessage,
  type CloudflareOptions,
  type CloudflareQueue,
  consumer,
} from "./queues/cloudflare.js";
export type { JobOptions, JobPolicy } from "./queues/jobs.js";
