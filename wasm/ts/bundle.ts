// What the bundles for Node, Deno and Bun hold: each entry of the package under its name.

export * as axios from "./axios.js";
export * as backoff from "./backoff.js";
export * as classify from "./classify.js";
export * as config from "./config.js";
export * as connect from "./connect.js";
export * as datadog from "./datadog.js";
export * as decorators from "./decorators.js";
export * as durable from "./durable.js";
export * as express from "./express.js";
export * as fastify from "./fastify.js";
export * as got from "./got.js";
export * as grpc from "./grpc.js";
export * as hono from "./hono.js";
export * as index from "./index.js";
export * as ky from "./ky.js";
export * as lint from "./lint.js";
export * as log from "./log.js";
export * as opentelemetry from "./opentelemetry.js";
export * as prometheus from "./prometheus.js";
export * as redis from "./redis.js";
export * as sentry from "./sentry.js";
export * as testing from "./testing.js";
export * as undici from "./undici.js";
export * as watch from "./watch.js";
