// Outcomes are discriminated by `ok`, hooks know their arguments, values keep their types.

import type { CircuitState, ErrorClass, Outcome, StopReason } from "redress";
import { backoff, CircuitBreaker, CircuitOpenError, callSync, Policy, RetryPolicy } from "redress";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_T extends true>(): void {}

const policy = new Policy({
  circuitBreaker: new CircuitBreaker({ failureThreshold: 5, tripOn: ["SERVER_ERROR", "TRANSIENT"] }),
  retry: {
    strategy: backoff.decorrelatedJitter({ maxMs: 2_000 }),
    strategies: { RATE_LIMIT: backoff.retryAfterOr(backoff.decorrelatedJitter({ maxMs: 10_000 })) },
    maxAttempts: 4,
    deadlineMs: null,
  },
});

export async function values(): Promise<void> {
  const value = await policy.call(async () => 7);
  holds<Equal<typeof value, number>>();
  const plain = await policy.call(() => "text" as const);
  holds<Equal<typeof plain, "text">>();
  const sync = callSync(new RetryPolicy({ strategy: backoff.constant(0) }), () => true);
  holds<Equal<typeof sync, boolean>>();
}

export async function outcomes(): Promise<number> {
  const outcome: Outcome<number> = await policy.execute(async () => 7);
  if (outcome.ok) {
    holds<Equal<typeof outcome.value, number>>();
    // @ts-expect-error a success has no error
    void outcome.error.message;
    return outcome.value;
  }
  holds<Equal<typeof outcome.error, unknown>>();
  const reason: StopReason | null = outcome.stopReason;
  const last: ErrorClass | null = outcome.lastClass;
  const next: number | null = outcome.nextSleepMs;
  return reason === "SCHEDULED" && last === "RATE_LIMIT" ? (next ?? 0) : -1;
}

export async function hooks(): Promise<void> {
  await policy.call(async ({ attempt, remainingMs }) => attempt + (remainingMs ?? 0), {
    operation: "typed",
    onMetric: (event, attempt, sleepMs, tags) => {
      holds<Equal<typeof attempt, number>>();
      holds<Equal<typeof sleepMs, number>>();
      if (event === "circuit_opened") void tags.state;
      // @ts-expect-error there is no such event
      if (event === "circuit_melted") return;
    },
    onEvent: (event) => {
      if (event.event === "retry") void event.sleepMs.toFixed();
    },
    sleep: (context, sleepMs) => (context.attempt > 2 || sleepMs > 1_000 ? "defer" : "sleep"),
  });
  // @ts-expect-error a misspelt option is no option
  await policy.call(async () => 1, { operaton: "x" });
  // @ts-expect-error there is no such class
  new CircuitBreaker({ tripOn: ["RATE_LIMITED"] });
  // @ts-expect-error an attempt is a function
  await policy.call(7);
}

export async function limits(): Promise<number | undefined> {
  const retry = {
    strategy: backoff.retryAfterOr(backoff.constant(1), { jitterMs: 1, atLeastMs: 10, atMostMs: null }),
    longDelay: "cut",
    retriable: { AUTH: 1 },
  } as const;
  const guarded = new Policy({
    retry,
    circuitBreaker: new CircuitBreaker({
      halfOpenOn: ["TRANSIENT"],
      recoveryJitterMs: 5,
      checkBeforeRetry: true,
      openForHintMs: 60_000,
    }),
    beforeRetry: (context, last) => {
      holds<Equal<typeof context.remainingMs, number | null>>();
      if (last.kind === "value") return void last.value;
      holds<Equal<typeof last.error, unknown>>();
      return "abort";
    },
  });
  holds<Equal<ReturnType<typeof guarded.trip>, CircuitState | null>>();
  await guarded.call(async () => 1, { deadlineMs: null });
  // @ts-expect-error a deadline of all calls is the retry's
  new Policy({ deadlineMs: 10 });
  // @ts-expect-error other classes are retried anyway
  new RetryPolicy({ strategy: backoff.constant(1), retriable: { TRANSIENT: 1 } });
  // @ts-expect-error there is no such rule
  new RetryPolicy({ strategy: backoff.constant(1), longDelay: "wait" });
  const { error } = await guarded
    .execute(async () => 1)
    .then((outcome) => (outcome.ok ? { error: undefined } : outcome));
  return error instanceof CircuitOpenError ? error.retryAfterMs : undefined;
}
