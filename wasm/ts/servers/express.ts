// Express: middleware.

import type { ErrorRequestHandler, Request, RequestHandler } from "express";
import type { CallOptions, PolicyLike } from "../types.js";
import { failureOf } from "./failure.js";
import { atMost, deadlineOf, gone, Incoming, known, type RequestsOptions } from "./incoming.js";
import { checkedUpstreams, healthOf, type Upstreams } from "./upstreams.js";

const incoming = new WeakMap<object, Incoming>();

/**
 * Middleware for the top of an application: a deadline that a request brings (`x-request-deadline` in milliseconds,
 * `grpc-timeout`) is that of the calls that are made for it, and so is the connection: see `callOptions`. A header that cannot be read
 * is answered with 400.
 */
export function requests(options: RequestsOptions = {}): RequestHandler {
  const most = atMost("requests", options);
  return (req, res, next) => {
    const found = deadlineOf((name) => req.get(name));
    if (typeof found === "string") {
      res.status(400).type("text/plain").send(found);
      return;
    }
    const template = templateOf(req);
    const request = new Incoming(Math.min(found, most), template);
    incoming.set(req, request);
    res.once("close", () => (res.writableFinished ? request.end() : request.abort(gone())));
    next();
  };
}

/**
 * The template of the route that handles a request, such as `GET /product/:id`. A router's own path is known only as the
 * request has it, so that the values of its parameters are taken out again.
 */
function templateOf(req: Request): () => string {
  const values = new Map<string, string>();
  let params: unknown = req.params;
  Object.defineProperty(req, "params", {
    get: () => params,
    set(found: Record<string, unknown>) {
      params = found;
      for (const [name, value] of Object.entries(found ?? {})) {
        for (const one of [value].flat()) if (typeof one === "string") values.set(one, name);
      }
    },
    configurable: true,
    enumerable: true,
  });
  return () => {
    if (req.route === undefined) return req.method;
    const named = req.baseUrl.split("/").map((part) => {
      const name = values.get(decoded(part));
      return name === undefined ? part : `:${name}`;
    });
    const { path } = req.route;
    return `${req.method} ${named.join("/")}${path === "/" && req.baseUrl !== "" ? "" : path}`;
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The options of a call that is made for a request: the template of its route as `operation`, a `signal` that is aborted when the client
 * goes away or the deadline passes, and what is left of the deadline as `deadlineMs`, or the policy's own if that is shorter.
 */
export function callOptions(req: Request<any, any, any, any>, policy?: PolicyLike): CallOptions {
  return known(incoming.get(req), "express", "app.use(requests())").options(policy);
}

/**
 * Error middleware for the end of an application: a failed call of a policy becomes 503 with Retry-After, 504 or 502; other errors go
 * on.
 */
export function failures(): ErrorRequestHandler {
  return (error, _req, res, next) => {
    const found = res.headersSent ? undefined : failureOf(error);
    if (found === undefined) next(error);
    else res.status(found.status).set(found.headers).send(found.sentence);
  };
}

/** A route that tells the state of breakers and budgets: 200, and 503 once `drain` is called. */
export function health(upstreams: Upstreams): RequestHandler {
  checkedUpstreams("health.upstreams", upstreams);
  return (_req, res) => {
    const { status, body } = healthOf(upstreams);
    res.status(status).json(body);
  };
}
