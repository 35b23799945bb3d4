import assert from "node:assert/strict";
import { test } from "node:test";
import pino from "pino";
import { backoff, CircuitBreaker, Policy, RetryPolicy } from "redress";
import { log } from "redress/log";
import { watch } from "redress/watch";
import { down, failing } from "../lab/faults.mjs";

const retry = { strategy: backoff.constant(0), maxAttempts: 2 };

/** A real pino whose lines are kept. */
function kept(level = "debug") {
  const lines = [];
  const logger = pino({ level, base: null, timestamp: false }, { write: (text) => lines.push(JSON.parse(text)) });
  return { lines, logger };
}

test("pino writes a line for each event, with the fields and the level of the event", async () => {
  const { lines, logger } = kept();
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 0.001 });
  const policy = watch(new Policy({ retry, circuitBreaker }), [log(logger)], { upstream: "orders" });
  await policy.execute(down(503), { operation: "list" });
  await policy.call(() => 1);
  const { info, warn, debug } = pino.levels.values;
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      [warn, "redress: retry"],
      [warn, "redress: max_attempts_exceeded"],
      [warn, "redress: circuit_opened"],
      [info, "redress: circuit_half_open"],
      [debug, "redress: success"],
      [info, "redress: circuit_closed"],
    ],
  );
  const { elapsedMs, ...first } = lines[0];
  assert.ok(elapsedMs >= 0);
  assert.deepEqual(first, {
    level: warn,
    upstream: "orders",
    event: "retry",
    attempt: 1,
    sleepMs: 0,
    operation: "list",
    class: "SERVER_ERROR",
    cause: "exception",
    err: "Error",
    msg: "redress: retry",
  });
  assert.equal(lines[1].stopReason, "MAX_ATTEMPTS_GLOBAL");
});

test("a line has the name of an error and nothing else of it", async () => {
  const { lines, logger } = kept();
  const policy = watch(new RetryPolicy(retry), [log(logger)]);
  await policy.execute(async () => {
    throw Object.assign(new Error("password=hunter2"), { status: 401, config: { token: "secret" } });
  });
  assert.equal(lines.length, 1);
  assert.doesNotMatch(JSON.stringify(lines), /hunter2|secret/);
});

test("a level of its own leaves out what is below, beside that of the logger", async () => {
  const { lines, logger } = kept("info");
  await watch(new RetryPolicy(retry), [log(logger, { level: "warn" })]).call(failing(503));
  assert.deepEqual(
    lines.map(({ event }) => event),
    ["retry"],
  );
});

test("the console gets the words first", async (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  const debug = t.mock.method(console, "debug", () => {});
  await watch(new RetryPolicy(retry), [log()]).call(failing(503));
  assert.equal(warn.mock.calls[0].arguments[0], "redress: retry");
  assert.equal(warn.mock.calls[0].arguments[1].class, "SERVER_ERROR");
  assert.equal(debug.mock.calls[0].arguments[0], "redress: success");
});
