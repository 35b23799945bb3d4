// A proxy in front of a flaky origin.
//
//   GET /<path>     the origin's answer, retried by class, behind a breaker that all isolates share
//   POST /jobs      takes a job; it is delivered to the origin in the background
//
// Policies are made at module scope: nothing here needs a timer, a signal or randomness
// before a request comes.

import { env } from "cloudflare:workers";
import { backoff, CircuitBreaker, CircuitOpenError, classify, Keyed, KeyedPolicy, Policy, redressFetch } from "redress";
import { consumer } from "redress/cloudflare";
import { DurableCircuitBreaker, RedressState } from "redress/durable";

export { RedressState };

const patient = backoff.retryAfterOr(backoff.decorrelatedJitter({ baseMs: 100, maxMs: 10_000 }));
const limits = { deadlineMs: 10_000, attemptTimeoutMs: 1_000 };

// A caller is there to wait for these: a few quick attempts, then an honest answer. The state of the breaker lives in one
// Durable Object, for all isolates.
const read = redressFetch(
  new Policy({
    retry: {
      ...limits,
      strategy: backoff.decorrelatedJitter({ baseMs: 20, maxMs: 500 }),
      strategies: { RATE_LIMIT: patient },
      maxAttempts: 4,
    },
    circuitBreaker: new DurableCircuitBreaker(env.BREAKERS, { name: "origin", recoveryTimeoutMs: 5_000 }),
    onLog: (event, { state }) => {
      if (event === "circuit_opened" || event === "circuit_closed") console.log(`breaker of the origin: ${state}`);
    },
  }),
);

// No caller waits for these: whatever needs a delay goes back to the queue for that long. Each host that jobs are delivered
// to has a breaker of its own, in this isolate: while it is open, jobs go back without an attempt.
const jobs = new KeyedPolicy({
  retry: { ...limits, strategy: patient, maxAttempts: 10, resultClassifier: classify.http },
  circuitBreaker: new Keyed(CircuitBreaker, { capacity: 100 }),
});

/** Where jobs are delivered to. */
const DELIVERY = new URL("/deliver", env.ORIGIN);

/** After how many seconds a breaker that rejects is to be asked again. */
const rest = ({ retryAfterMs = 0 }) => Math.max(1, Math.ceil(retryAfterMs / 1_000));

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (request.method === "POST" && url.pathname === "/jobs") {
      await env.JOBS.send({ job: await request.text() });
      return new Response("taken", { status: 202 });
    }
    try {
      // What the origin said last, whatever it was.
      return await read(env.ORIGIN + url.pathname + url.search, { signal: request.signal });
    } catch (error) {
      if (!(error instanceof CircuitOpenError)) return new Response("the origin cannot be reached", { status: 502 });
      return new Response("the origin is resting", { status: 503, headers: { "retry-after": `${rest(error)}` } });
    }
  },

  // A job that must wait goes back to the queue with its attempts, and one that is stopped goes to another queue with why.
  queue: consumer(
    () => jobs.at(DELIVERY.host),
    ({ body }, { signal }) => fetch(DELIVERY, { method: "POST", body: body.job, signal }),
    { queue: () => env.JOBS, deadLetter: () => env.DEAD_JOBS, operation: "deliver" },
  ),
};
