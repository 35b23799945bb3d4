// `redress/queues`: what a queue of your own needs to run its jobs under a policy.

export {
  type Carried,
  carriedOf,
  type JobOptions,
  type JobPolicy,
  JobRunner,
  lineOf,
  messageOf,
  type Next,
  reasonOf,
  type Stopped,
} from "./queues/jobs.js";
export { LONGEST_DELAY_MS, type Portion, portion, seconds } from "./queues/limits.js";
