// Hono: middleware, on Node and at the edge.

import type { Context, ErrorHandler, Handler, MiddlewareHandler } from "hono";
import { onAbort } from "../call/signals.js";
import type { CallOptions, PolicyLike, Signal } from "../types.js";
import { failureOf } from "./failure.js";
import { atMost, deadlineOf, gone, Incoming, known, type RequestsOptions } from "./incoming.js";
import { checkedUpstreams, healthOf, type Upstreams } from "./upstreams.js";

const incoming = new WeakMap<object, Incoming>();

/**
 * Middleware for the top of an application: a deadline that a request brings (`x-request-deadline` in milliseconds,
 * `grpc-timeout`) is that of the calls that are made for it, and so is the connection: see `callOptions`. A header that cannot be read
 * is answered with 400. In a worker the connection counts where the runtime has it in `request.signal`.
 */
export function requests(options: RequestsOptions = {}): MiddlewareHandler {
  const most = atMost("requests", options);
  return async (c, next) => {
    const found = deadlineOf((name) => c.req.header(name));
    if (typeof found === "string") return c.text(found, 400);
    const request = new Incoming(Math.min(found, most), () => `${c.req.method} ${c.req.routePath}`);
    incoming.set(c, request);
    // Not every runtime has one.
    const signal = c.req.raw.signal as Signal | undefined;
    const unlisten = signal && onAbort(signal, () => request.abort(gone()));
    try {
      await next();
    } finally {
      unlisten?.();
      request.end();
    }
    return undefined;
  };
}

/**
 * The options of a call that is made for a request: the template of its route as `operation`, a `signal` that is aborted when the client
 * goes away or the deadline passes, and what is left of the deadline as `deadlineMs`, or the policy's own if that is shorter.
 */
export function callOptions(c: Context<any, any, any>, policy?: PolicyLike): CallOptions {
  return known(incoming.get(c), "hono", "app.use(requests())").options(policy);
}

/**
 * What `app.onError` takes: a failed call of a policy becomes 503 with Retry-After, 504 or 502; other errors go to `otherwise`, or are
 * answered as Hono does without it.
 */
export function failures(otherwise?: ErrorHandler<any>): ErrorHandler<any> {
  return (error, c) => {
    const found = failureOf(error);
    if (found !== undefined) return c.body(found.sentence, found.status, found.headers);
    if (otherwise !== undefined) return otherwise(error, c);
    if ("getResponse" in error) return error.getResponse();
    console.error(error);
    return c.text("Internal Server Error", 500);
  };
}

/** A route that tells the state of breakers and budgets: 200, and 503 once `drain` is called. */
export function health(upstreams: Upstreams): Handler<any> {
  checkedUpstreams("health.upstreams", upstreams);
  return (c) => {
    const { status, body } = healthOf(upstreams);
    return c.json(body, status);
  };
}
