// `redress/durable`: state that isolates share in a Durable Object, and deferral to a queue.

export * from "./durable/durable.js";
export { deferMessage } from "./durable/queue.js";
