// One scenario of engine.json, through the public API: `Policy.execute` with a clock, randomness
// and a sleeper of its own. What differs from the expected is told in words.

import { AbortRetryError, Budget, backoff, CircuitBreaker, CircuitOpenError, Policy } from "redress";

const ms = (micros) => micros / 1_000;
const us = (millis) => Math.round(millis * 1_000);
const POINTS = { start: 0, failure: 1, sleep: 2 };

function strategy(spec) {
  const { kind } = spec;
  const range = { baseMs: ms(spec.base_us), maxMs: ms(spec.max_us) };
  if (kind === "fixed") return backoff.sequence(spec.sleeps_us.map((delay) => Math.max(0, ms(delay))));
  if (kind === "decorrelated_jitter") return backoff.decorrelatedJitter(range);
  if (kind === "equal_jitter") return backoff.equalJitter(range);
  if (kind === "token_backoff") return backoff.tokenBackoff(range);
  if (kind === "retry_after_or") {
    return backoff.retryAfterOr(strategy(spec.fallback), { jitterMs: ms(spec.jitter_us) });
  }
  if (kind === "adaptive") {
    return backoff.adaptive(strategy(spec.fallback), {
      windowMs: ms(spec.window_us),
      targetSuccess: spec.target_success_milli / 1_000,
      minMultiplier: spec.min_multiplier_milli / 1_000,
      maxMultiplier: spec.max_multiplier_milli / 1_000,
    });
  }
  throw new Error(`no strategy is called ${kind}`);
}

function isExact(spec, hinted) {
  if (spec === undefined || spec === null) return true;
  if (spec.kind === "fixed") return true;
  if (spec.kind === "retry_after_or") {
    return hinted ? spec.jitter_us === 0 : isExact(spec.fallback, hinted);
  }
  return false;
}

const executes = (policy, operation, options) => policy.execute(operation, options);

/**
 * Runs a scenario on a policy of its own and adds it to the digest; the differences found. Its calls are
 * made by `execute(policy, operation, options)`, which comes to their outcomes.
 */
export async function runScenario(scenario, digest, execute = executes) {
  const { policy: spec, rng } = scenario;
  const differences = [];
  let nowUs = 0;
  let drawn = 0;
  const clock = () => ms(nowUs);
  const random = () => {
    if (drawn >= rng.length) differences.push(`draw ${drawn + 1} is beyond the script`);
    return (rng[drawn++] ?? 0) / 2 ** 32;
  };
  const budget =
    spec.budget === null
      ? undefined
      : new Budget({ maxRetries: spec.budget.max_retries, windowMs: ms(spec.budget.window_us), clock });
  const breaker =
    spec.breaker === null
      ? undefined
      : new CircuitBreaker({
          failureThreshold: spec.breaker.failure_threshold,
          windowMs: ms(spec.breaker.window_us),
          recoveryTimeoutMs: ms(spec.breaker.recovery_timeout_us),
          classThresholds: spec.breaker.class_thresholds,
          ...(spec.breaker.trip_on === null ? {} : { tripOn: spec.breaker.trip_on }),
          clock,
        });
  const strategies = Object.entries(spec.strategies).map(([name, value]) => [name, strategy(value)]);
  // A policy without any strategy does not build; one for a class that is never retried
  // decides the same.
  const none = spec.default_strategy === null && strategies.length === 0;
  const policy = new Policy({
    ...(breaker === undefined ? {} : { circuitBreaker: breaker }),
    retry: {
      ...(spec.default_strategy === null ? {} : { strategy: strategy(spec.default_strategy) }),
      strategies: none ? { PERMANENT: backoff.constant(0) } : Object.fromEntries(strategies),
      maxAttempts: spec.max_attempts,
      deadlineMs: ms(spec.deadline_us),
      // The rule of redress for Python.
      longDelay: "cut",
      maxUnknownAttempts: spec.max_unknown_attempts,
      perClassMaxAttempts: spec.per_class_max_attempts,
      classifier: (error) => error.classification,
      resultClassifier: (value) => value,
      ...(budget === undefined ? {} : { budget }),
      clock,
      random,
      sleeper: () => {},
    },
  });

  async function runCall(call, expect, name) {
    const differ = (what) => differences.push(`${name}: ${what}`);
    const equal = (what, got, want) => {
      if ((got ?? null) !== (want ?? null)) differ(`${what} is ${got}, expected ${want}`);
    };
    nowUs += call.gap_us;
    const startedUs = nowUs;
    let made = 0;
    let consulted = 0;
    let nested = 0;
    let retries = 0;
    let heard = 0;

    async function operation({ attempt }) {
      const script = call.attempts[made];
      made += 1;
      equal("number of the attempt", attempt, made);
      if (script === undefined) {
        differ(`attempt ${made} is beyond the script`);
        return null;
      }
      for (const inner of script.during ?? []) {
        const wanted = expect.during?.[nested];
        nested += 1;
        await runCall(inner, wanted ?? { events: [] }, `${name} during attempt ${made}`);
      }
      nowUs += script.takes_us;
      const { outcome } = script;
      if (outcome.ok) return null;
      if (outcome.abort) throw new AbortRetryError("scripted");
      const hint = outcome.retry_after_us;
      const classification = {
        class: outcome.class,
        // Hints are unsigned here: a negative one is none to wait for.
        ...(hint === undefined ? {} : { retryAfterMs: ms(Math.max(0, hint)) }),
      };
      if (outcome.cause === "result") return classification;
      throw Object.assign(new Error("scripted"), { classification });
    }

    function onEvent(event) {
      const waits = event.event === "retry" || event.event === "scheduled";
      const gotUs = us(event.sleepMs ?? 0);
      digest.event(event, gotUs);
      const want = expect.events[heard];
      heard += 1;
      if (want === undefined) return differ(`event ${event.event} is one too many`);
      for (const [field, key] of [
        ["event", "event"],
        ["class", "class"],
        ["cause", "cause"],
        ["stopReason", "stop_reason"],
        ["state", "state"],
      ]) {
        equal(`${field} of event ${heard}`, event[field], want[key]);
      }
      equal(`attempt of event ${heard}`, event.attempt, want.attempt ?? 0);
      const wantUs = want.sleep_us ?? 0;
      const chosen = spec.strategies[want.class] ?? spec.default_strategy;
      const hinted = call.attempts[(want.attempt ?? 1) - 1]?.outcome.retry_after_us !== undefined;
      const cut = waits && gotUs === spec.deadline_us - (nowUs - startedUs);
      const tolerance = cut || isExact(chosen, hinted) ? 0 : 10 + Math.floor(wantUs / 2_000);
      if (Math.abs(gotUs - wantUs) > tolerance) differ(`delay ${gotUs} us, expected ${wantUs}`);
    }

    /** The clock is driven with the vectors: by the expected delay, not by ours. */
    function onAttemptEnd({ attempt, decision, sleepMs }) {
      if (decision !== "retry") return;
      const expected = expect.events.filter((entry) => entry.event === "retry")[retries];
      retries += 1;
      nowUs += expected?.sleep_us ?? us(sleepMs);
      nowUs += call.attempts[attempt - 1]?.oversleep_us ?? 0;
    }

    const { abort_if: abort } = call;
    const outcome = await execute(policy, operation, {
      onEvent,
      onAttemptEnd,
      sleep: (context) => call.attempts[context.attempt - 1]?.decision ?? "sleep",
      abortIf: () => {
        const nth = consulted;
        consulted += 1;
        return abort !== undefined && nth >= (abort.attempt - 1) * 3 + POINTS[abort.at];
      },
    });

    const want = expect.outcome ?? {};
    if (outcome.error instanceof CircuitOpenError) {
      digest.rejected(outcome.error.state);
      equal("circuit_open", outcome.error.state, want.circuit_open);
    } else {
      const nextSleepUs = outcome.nextSleepMs == null ? null : us(outcome.nextSleepMs);
      const elapsedUs = us(outcome.elapsedMs);
      const { ok, stopReason, attempts } = outcome;
      const lastClass = ok ? null : outcome.lastClass;
      const cause = ok ? null : outcome.cause;
      digest.ended({ ok, stopReason, attempts, lastClass, cause, elapsedUs, nextSleepUs });
      equal("ok", ok, want.ok);
      equal("stop reason", stopReason, want.stop_reason);
      equal("attempts", attempts, want.attempts);
      equal("last class", lastClass, want.last_class);
      equal("cause", cause, want.cause);
      equal("elapsed", elapsedUs, want.elapsed_us);
      equal("a next sleep", nextSleepUs !== null, (want.next_sleep_us ?? null) !== null);
    }
    equal("events", heard, expect.events.length);
    equal("breaker state", breaker?.state, expect.breaker_state);
    equal("budget remaining", budget?.remaining(), expect.budget_remaining);
    equal("draws", drawn, expect.rng_used);
    equal("clock", nowUs, expect.clock_us);
  }

  for (const [n, call] of scenario.calls.entries()) {
    await runCall(call, scenario.expect[n], `call ${n + 1}`);
  }
  return differences;
}
