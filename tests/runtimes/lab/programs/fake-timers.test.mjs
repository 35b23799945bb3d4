// Breakers and policies on vitest's fake timers.

import { backoff, CircuitBreaker, Policy } from "redress";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.useRealTimers();
});

const busy = () => Promise.reject(Object.assign(new Error("busy"), { status: 503 }));

async function afterRecovery(timers, clock) {
  vi.useFakeTimers(timers);
  const own = clock && { clock };
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 30_000, ...own });
  const policy = new Policy({ circuitBreaker, ...own });
  await policy.execute(busy);
  await vi.advanceTimersByTimeAsync(30_000);
  return policy.execute(() => "a probe");
}

/** What vitest faked by itself up to version 2. */
const OLD = ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "setInterval", "clearInterval", "Date"];

test("vitest's fake timers as they are let a breaker recover", async () => {
  expect((await afterRecovery()).value).toBe("a probe");
});

test("without performance among them a breaker stays open", async () => {
  expect((await afterRecovery({ toFake: OLD })).ok).toBe(false);
});

test("with toFake performance a breaker recovers", async () => {
  const toFake = ["performance", "setTimeout", "clearTimeout"];
  expect((await afterRecovery({ toFake })).value).toBe("a probe");
});

test("with a clock that looks Date.now up a breaker recovers without performance among them", async () => {
  expect((await afterRecovery({ toFake: OLD }, () => Date.now())).value).toBe("a probe");
});

test("delays and deadlines follow vitest's fake timers", async () => {
  vi.useFakeTimers();
  const retry = { strategy: backoff.constant(10_000), maxAttempts: 9, deadlineMs: 25_000 };
  const running = new Policy({ retry }).execute(busy);
  await vi.advanceTimersByTimeAsync(30_000);
  const { stopReason, attempts } = await running;
  expect([stopReason, attempts]).toEqual(["DEADLINE_EXCEEDED", 3]);
});
