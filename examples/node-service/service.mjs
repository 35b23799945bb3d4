// GET /product/<id>: what the catalog knows of a product, with its price.

import { once } from "node:events";
import { createServer } from "node:http";
import { Budget, backoff, CircuitBreaker, CircuitOpenError, classify, Policy } from "redress";

/** Why calls in flight end when the service is told to stop. */
export class ShuttingDown extends Error {
  name = "ShuttingDown";
}

/**
 * Starts the service. `catalogUrl` and `pricesUrl` are its upstreams; what it says of its
 * calls goes to `log`, one line each.
 */
export async function startService({ catalogUrl, pricesUrl, port = 0, log = () => {} }) {
  // Whatever fails, retries are at most a tenth of the calls, over both upstreams together.
  const budget = new Budget({ ratio: 0.1 });
  const stopping = new AbortController();
  const catalog = upstream("catalog");
  const prices = upstream("prices");

  function upstream(name) {
    const policy = new Policy({
      // A breaker belongs to one upstream: prices may be down while the catalog is well.
      circuitBreaker: new CircuitBreaker({
        failureThreshold: 5,
        windowMs: 10_000,
        recoveryTimeoutMs: 2_000,
      }),
      retry: {
        budget,
        resultClassifier: classify.http,
        strategy: backoff.decorrelatedJitter({ baseMs: 20, maxMs: 500 }),
        maxAttempts: 4,
        deadlineMs: 2_000,
        attemptTimeoutMs: 500,
      },
      onLog: (event, fields) => log(`${name} ${event} ${JSON.stringify(fields)}`),
    });
    return async (url, signal) => {
      const operation = `GET ${name}`;
      const response = await policy.call((attempt) => fetch(url, { signal: attempt.signal }), { signal, operation });
      return response.json();
    };
  }

  async function product(id, signal) {
    const [description, price] = await Promise.all([
      catalog(`${catalogUrl}/items/${id}`, signal),
      prices(`${pricesUrl}/prices/${id}`, signal),
    ]);
    return { ...description, ...price };
  }

  const server = createServer(async (request, response) => {
    const [, what, id] = request.url.split("/");
    if (what !== "product" || !/^\d+$/.test(id ?? "")) return respond(response, 404, { error: "GET /product/<id>" });
    // The caller may go away, and the service may be told to stop: both end the calls.
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      respond(response, 200, await product(id, AbortSignal.any([gone.signal, stopping.signal])));
    } catch (error) {
      if (error instanceof CircuitOpenError) {
        // Of a breaker that was isolated by hand it is not known.
        if (error.retryAfterMs !== undefined) response.setHeader("retry-after", Math.ceil(error.retryAfterMs / 1_000));
        return respond(response, 503, { error: "an upstream is down" });
      }
      if (error instanceof ShuttingDown) return respond(response, 503, { error: "shutting down" });
      respond(response, 502, { error: error.message });
    }
  });

  function respond(response, status, body) {
    if (response.destroyed) return;
    // A connection that is kept would keep the server from closing.
    if (stopping.signal.aborted) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  }

  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Takes no new request, ends the calls in flight with an answer, then closes. */
    async stop() {
      const closed = once(server, "close");
      server.close();
      stopping.abort(new ShuttingDown("told to stop"));
      await closed;
    },
  };
}
