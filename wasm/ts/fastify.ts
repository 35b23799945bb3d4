// `redress/fastify`: deadlines, responses of failed calls, health and shutdown of a Fastify application.

export { callOptions, type FastifyOptions, failures, health, requests } from "./servers/fastify.js";
export type { RequestsOptions } from "./servers/incoming.js";
export type { Health, Upstreams } from "./servers/upstreams.js";
