// A proxy in front of a flaky origin.
//
//   GET /<path>     the origin's answer, retried by class, behind a breaker that all isolates share
//   POST /jobs      takes a job; it is delivered to the origin in the background
//
// Policies are made at module scope: nothing here needs a timer, a signal or randomness
// before a request comes.

import { env } from "cloudflare:workers";
import { backoff, CircuitOpenError, classify, Policy } from "redress";
import { consumer } from "redress/cloudflare";
import { DurableCircuitBreaker, RedressState } from "redress/durable";

export { RedressState };

const patient = backoff.retryAfterOr(backoff.decorrelatedJitter({ baseMs: 100, maxMs: 10_000 }));

const retry = {
  resultClassifier: classify.http,
  strategy: backoff.decorrelatedJitter({ baseMs: 20, maxMs: 500 }),
  strategies: { RATE_LIMIT: patient },
  maxAttempts: 4,
  deadlineMs: 10_000,
  attemptTimeoutMs: 1_000,
};

// Its state lives in one Durable Object, for all isolates.
const originBreaker = new DurableCircuitBreaker(env.BREAKERS, {
  name: "origin",
  failureThreshold: 5,
  windowMs: 60_000,
  recoveryTimeoutMs: 5_000,
  tripOn: ["SERVER_ERROR", "TRANSIENT"],
});

// A caller is there to wait for these: a few quick attempts, then an honest answer.
const requests = new Policy({ retry, circuitBreaker: originBreaker });

// Nobody waits for these: whatever needs a delay goes back to the queue for that long.
const jobs = new Policy({ retry: { ...retry, strategy: patient, maxAttempts: 10 } });

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (request.method === "POST" && url.pathname === "/jobs") {
      await env.JOBS.send({ job: await request.text() });
      return new Response("taken", { status: 202 });
    }
    const target = env.ORIGIN + url.pathname + url.search;
    const outcome = await requests.execute(({ signal }) => fetch(target, { signal }), {
      signal: request.signal,
      operation: `GET ${url.pathname}`,
      onLog: (event, { state }) => {
        if (event === "circuit_opened" || event === "circuit_closed") console.log(`breaker of the origin: ${state}`);
      },
    });
    if (outcome.ok) return outcome.value;
    if (outcome.error instanceof CircuitOpenError) {
      const { retryAfterMs } = outcome.error;
      const headers =
        retryAfterMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) };
      return new Response("the origin is resting", { status: 503, headers });
    }
    // What the origin said last, if it said anything.
    return outcome.lastResult ?? new Response("the origin cannot be reached", { status: 502 });
  },

  // A job that must wait goes back to the queue with its attempts, and one that is stopped goes to another queue with why.
  queue: consumer(
    jobs,
    ({ body }, { signal }) => fetch(`${env.ORIGIN}/deliver`, { method: "POST", body: body.job, signal }),
    { queue: () => env.JOBS, deadLetter: () => env.DEAD_JOBS, operation: "deliver" },
  ),
};
