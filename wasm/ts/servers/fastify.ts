// Fastify: a plugin.

import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";
import type { CallOptions, PolicyLike } from "../types.js";
import { failureOf } from "./failure.js";
import { atMost, deadlineOf, gone, Incoming, known, type RequestsOptions } from "./incoming.js";
import { checkedUpstreams, drainAll, healthOf, type Upstreams } from "./upstreams.js";

const incoming = new WeakMap<object, Incoming>();

/** The options of the plugin. */
export interface FastifyOptions extends RequestsOptions {
  /** What is drained when the application closes. */
  upstreams?: Upstreams | undefined;
}

/**
 * A plugin: `app.register(requests)`. A deadline that a request brings (`x-request-deadline` in milliseconds,
 * `grpc-timeout`) is that of the calls that are made for it, and so is the connection: see `callOptions`. A header that cannot be read
 * is answered with 400. `app.close()` drains the `upstreams`.
 */
export const requests: FastifyPluginCallback<FastifyOptions> = Object.assign(
  (app: FastifyInstance, options: FastifyOptions, done: () => void) => {
    const most = atMost("requests", options);
    const { upstreams } = options;
    if (upstreams !== undefined) checkedUpstreams("requests.upstreams", upstreams);
    app.addHook("onRequest", (request, reply, next) => {
      const found = deadlineOf((name) => request.headers[name] as string | undefined);
      if (typeof found === "string") {
        reply.code(400).type("text/plain").send(found);
        return;
      }
      const one = new Incoming(Math.min(found, most), () => operationOf(request));
      incoming.set(request, one);
      const { raw } = reply;
      raw.once("close", () => (raw.writableFinished ? one.end() : one.abort(gone())));
      next();
    });
    app.addHook("preClose", async () => {
      if (upstreams !== undefined) await drainAll(upstreams);
    });
    done();
  },
  {
    // For the whole application, as fastify-plugin would say; Fastify refuses it in another version of its own.
    [Symbol.for("skip-override")]: true,
    [Symbol.for("plugin-meta")]: { name: "redress", fastify: "5.x" },
  },
);

/** The template of the route, such as `GET /product/:id`. */
function operationOf({ method, routeOptions }: FastifyRequest): string {
  return routeOptions.url === undefined ? method : `${method} ${routeOptions.url}`;
}

/**
 * The options of a call that is made for a request: the template of its route as `operation`, a `signal` that is aborted when the client
 * goes away or the deadline passes, and what is left of the deadline as `deadlineMs`, or the policy's own if that is shorter.
 */
export function callOptions(
  request: FastifyRequest<any, any, any, any, any, any, any, any>,
  policy?: PolicyLike,
): CallOptions {
  return known(incoming.get(request), "fastify", "app.register(requests)").options(policy);
}

/**
 * An error handler: `app.setErrorHandler(failures())`. A failed call of a policy becomes 503 with Retry-After, 504 or 502; other errors
 * go on to the handler outside.
 */
export function failures(): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, _request, reply) => {
    const found = failureOf(error);
    if (found === undefined) reply.send(error);
    else reply.code(found.status).headers(found.headers).send(found.sentence);
  };
}

/** A route that tells the state of breakers and budgets: 200, and 503 once the application closes. */
export function health(upstreams: Upstreams): RouteHandlerMethod {
  checkedUpstreams("health.upstreams", upstreams);
  return (_request, reply) => {
    const { status, body } = healthOf(upstreams);
    reply.code(status).send(body);
  };
}
