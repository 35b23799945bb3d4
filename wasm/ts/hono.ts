// `redress/hono`: deadlines, responses of failed calls, health and shutdown of a Hono application.

export { callOptions, failures, health, requests } from "./servers/hono.js";
export type { RequestsOptions } from "./servers/incoming.js";
export { drain, type Health, type Upstreams } from "./servers/upstreams.js";
