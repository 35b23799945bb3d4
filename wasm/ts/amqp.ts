// `redress/amqp`: messages of RabbitMQ under a policy.

export { type AmqpChannel, type AmqpMessage, type AmqpOptions, consumer } from "./queues/amqp.js";
export type { JobOptions, JobPolicy } from "./queues/jobs.js";
