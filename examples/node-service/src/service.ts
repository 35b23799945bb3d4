// GET /product/:id on Fastify: what three upstreams know of a product.

import Fastify, { type FastifyBaseLogger, LogController } from "fastify";
import client from "prom-client";
import { AbortRetryError, CircuitOpenError } from "redress";
import { traced, watchers } from "./telemetry.js";
import { type Addresses, Upstreams } from "./upstreams.js";

/** Why calls in flight end when the service is told to stop. */
class ShuttingDown extends Error {
  override readonly name = "ShuttingDown";
}

/** A service that runs. */
export interface Service {
  readonly url: string;
  /** Takes no new request, gives those in flight so long, then ends their calls with an answer. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts it. What it logs goes to standard output. */
export async function startService(
  addresses: Addresses,
  { port = 0, level = "info" }: { port?: number; level?: string } = {},
): Promise<Service> {
  // What happens to the calls is logged, and not each request.
  const logController = new LogController({ disableRequestLogging: true });
  const app = Fastify({ logger: { level }, logController, forceCloseConnections: "idle" });
  const register = new client.Registry();
  const upstreams = new Upstreams(addresses, watchers(register, app.log as FastifyBaseLogger));
  await upstreams.connect();
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;

  // A connection that is kept would keep the server from closing.
  app.addHook("onSend", async (_, reply) => {
    if (stopped !== undefined) reply.header("connection", "close");
  });

  app.get<{ Params: { id: string } }>("/product/:id", async (request, reply) => {
    const id = Number(request.params.id);
    if (!Number.isInteger(id)) return reply.code(400).send({ error: "an id is a whole number" });
    // The caller may go away, and the service may be told to stop: both end the calls.
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort());
    try {
      const signal = AbortSignal.any([gone.signal, stopping.signal]);
      const product = await traced("GET /product/:id", () => upstreams.product(id, signal));
      return product ?? reply.code(404).send({ error: `there is no product ${id}` });
    } catch (error) {
      if (error instanceof CircuitOpenError) {
        // Of a breaker that was isolated by hand it is not known.
        if (error.retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(error.retryAfterMs / 1_000));
        return reply.code(503).send({ error: "an upstream is down" });
      }
      // `drain` ends a call in place of a delay; the signal ends an attempt that has had its grace.
      const isEnding = error instanceof ShuttingDown || error instanceof AbortRetryError;
      if (isEnding) return reply.code(503).send({ error: "shutting down" });
      return reply.code(502).send({ error: (error as Error).message });
    }
  });

  app.get("/metrics", async (_, reply) => reply.type(register.contentType).send(await register.metrics()));

  app.get("/health", async () => {
    const breakers = Object.entries(upstreams.policies).map(([name, { circuitBreaker }]) => [
      name,
      circuitBreaker?.state,
    ]);
    return { breakers: Object.fromEntries(breakers), retriesLeft: upstreams.budget.remaining() };
  });

  async function stop(graceMs: number): Promise<void> {
    const late = setTimeout(() => stopping.abort(new ShuttingDown("told to stop")), graceMs);
    // Calls that wait for their next attempt end now; attempts in flight have their time.
    await Promise.all([app.close(), upstreams.drain()]);
    clearTimeout(late);
    await upstreams.close();
  }

  return {
    url: await app.listen({ port, host: "127.0.0.1" }),
    stop: (graceMs = 5_000) => (stopped ??= stop(graceMs)),
  };
}
