import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import * as Sentry from "@sentry/node";
import { backoff, CircuitBreaker, Policy, RetryPolicy } from "redress";
import { sentry } from "redress/sentry";
import { watch } from "redress/watch";
import { down, failing } from "../lab/faults.mjs";

const retry = { strategy: backoff.constant(0), maxAttempts: 2 };
/** The events in the envelopes that would have been sent. */
const sent = [];

Sentry.init({
  dsn: "https://key@sentry.test/1",
  transport: (options) =>
    Sentry.createTransport(options, async ({ body }) => {
      const lines = String(body)
        .split("\n")
        .map((line) => JSON.parse(line));
      for (const [at, header] of lines.entries()) if (header.type === "event") sent.push(lines[at + 1]);
      return { statusCode: 200 };
    }),
});

beforeEach(() => {
  sent.length = 0;
});
after(() => Sentry.close());

/** Runs in a scope of its own, and sends what was reported. */
async function scoped(run) {
  await Sentry.withIsolationScope(run);
  await Sentry.flush();
  return sent;
}

test("every event is a breadcrumb of what is reported next", async () => {
  const policy = watch(new RetryPolicy(retry), [sentry(Sentry)], { upstream: "orders" });
  const [event] = await scoped(async () => {
    await policy.call(failing(503), { operation: "list" });
    Sentry.captureMessage("later");
  });
  const crumbs = event.breadcrumbs.filter(({ category }) => category === "redress");
  assert.deepEqual(
    crumbs.map(({ message, level }) => [message, level]),
    [
      ["retry", "warning"],
      ["success", "info"],
    ],
  );
  const { upstream, operation, class: errorClass, attempt } = crumbs[0].data;
  assert.deepEqual([upstream, operation, errorClass, attempt], ["orders", "list", "SERVER_ERROR", 1]);
});

test("a final failure is reported once with its error, also if the program reports it, too", async () => {
  const policy = watch(new RetryPolicy(retry), [sentry(Sentry)], { upstream: "orders" });
  const events = await scoped(async () => {
    try {
      await policy.call(down(503), { operation: "list" });
    } catch (error) {
      Sentry.captureException(error);
    }
  });
  assert.equal(events.length, 1);
  const [{ exception, tags, contexts, level, breadcrumbs }] = events;
  assert.equal(exception.values[0].value, "status 503");
  assert.equal(level, "error");
  assert.deepEqual(tags, {
    "redress.event": "max_attempts_exceeded",
    "redress.upstream": "orders",
    "redress.operation": "list",
    "redress.class": "SERVER_ERROR",
    "redress.stopReason": "MAX_ATTEMPTS_GLOBAL",
  });
  assert.equal(contexts.redress.attempt, 2);
  assert.deepEqual(
    breadcrumbs.map(({ message }) => message),
    ["retry", "max_attempts_exceeded"],
  );
});

test("a value that is a failure is reported by its event's name", async () => {
  const policy = watch(new RetryPolicy({ ...retry, resultClassifier: () => "PERMANENT" }), [sentry(Sentry)]);
  const [event] = await scoped(() => policy.execute(() => 1));
  assert.equal(event.message, "redress.permanent_fail");
});

test("what is reported is configured; an abort, a rejection and a deferral are not by default", async () => {
  const circuitBreaker = new CircuitBreaker();
  const policy = watch(new Policy({ retry, circuitBreaker }), [sentry(Sentry)]);
  const quiet = watch(new RetryPolicy(retry), [sentry(Sentry, { capture: [] })]);
  const rejections = watch(new Policy({ retry, circuitBreaker }), [sentry(Sentry, { capture: ["circuit_rejected"] })]);
  const events = await scoped(async () => {
    await policy.execute(down(503), { sleep: () => "defer" });
    await policy.execute(() => 1, { signal: AbortSignal.abort() });
    circuitBreaker.isolate();
    await policy.execute(() => 1);
    await quiet.execute(down(401));
    assert.equal(sent.length, 0);
    await rejections.execute(() => 1);
  });
  assert.deepEqual(
    events.map(({ message }) => message),
    ["redress.circuit_rejected"],
  );
  assert.throws(() => sentry(Sentry, { capture: true }), /sentry\.capture: true is not an array of events/);
});
