// `redress/express`: deadlines, responses of failed calls, health and shutdown of an Express application.

export { callOptions, failures, health, requests } from "./servers/express.js";
export type { RequestsOptions } from "./servers/incoming.js";
export { drain, type Health, type Upstreams } from "./servers/upstreams.js";
