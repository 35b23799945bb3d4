// How long a policy waits.

import { backoff, Retry } from "redress";
import { assert, describe, test, thrown } from "./harness.js";
import { failure, script, stage } from "./stage.js";

describe("strategies");

/** The delays that a strategy gives to failures that do not end, for some draws. */
async function delays(strategy, { draws, attempts = 8, deadlineMs = null, error = failure(503) } = {}) {
  const { execute, time } = stage({ retry: { strategy, maxAttempts: attempts, deadlineMs } });
  if (draws !== undefined) time.random = draws;
  const policy = stage({ retry: { strategy, maxAttempts: attempts, deadlineMs, random: draws ?? (() => 0.5) } });
  void execute;
  await policy.execute(script(error));
  return policy.time.sleeps;
}

const DRAWS = [() => 0, () => 0.25, () => 0.5, () => 1 - 2 ** -32];

test("decorrelated jitter lies between its base and three times the delay before, below its cap", async () => {
  for (const draw of DRAWS) {
    let previous = 250;
    for (const delay of await delays(backoff.decorrelatedJitter({ baseMs: 250, maxMs: 3_000 }), { draws: draw })) {
      assert.isAtLeast(delay, Math.min(250, previous * 3));
      assert.isAtMost(delay, Math.min(3_000, previous * 3) + 0.001);
      previous = delay;
    }
  }
});

test("equal jitter lies in the upper half of a doubling cap", async () => {
  for (const draw of DRAWS) {
    const all = await delays(backoff.equalJitter({ baseMs: 250, maxMs: 3_000 }), { draws: draw });
    all.forEach((delay, index) => {
      const cap = Math.min(3_000, 250 * 2 ** (index + 1));
      assert.isAtLeast(delay, cap / 2 - 0.001);
      assert.isAtMost(delay, cap);
    });
  }
});

test("token backoff lies in the upper half of a cap that grows by half", async () => {
  for (const draw of DRAWS) {
    const all = await delays(backoff.tokenBackoff({ baseMs: 250, maxMs: 2_000 }), { draws: draw });
    all.forEach((delay, index) => {
      const cap = Math.min(2_000, 250 * 1.5 ** (index + 1));
      assert.isAtLeast(delay, cap / 2 - 0.01);
      assert.isAtMost(delay, cap);
    });
  }
});

test("strategies without jitter give their series, a factor below one shorter and shorter delays", async () => {
  const span = { baseMs: 100, maxMs: 450 };
  for (const [strategy, series] of [
    [backoff.constant(7), [7, 7, 7, 7, 7]],
    [backoff.linear(span), [100, 200, 300, 400, 450]],
    [backoff.fibonacci(span), [100, 100, 200, 300, 450]],
    [backoff.exponential(span), [100, 200, 400, 450, 450]],
    [backoff.exponential({ ...span, factor: 3 }), [100, 300, 450, 450, 450]],
    [backoff.exponential({ ...span, factor: 0.5 }), [100, 50, 25, 12.5, 6.25]],
  ]) {
    assert.deepEqual(await delays(strategy, { attempts: 6 }), series);
  }
});

test("jitter is added to them on demand, also beyond the longest delay", async () => {
  const settings = { baseMs: 100, maxMs: 250, jitterMs: 80 };
  const draws = () => 0.25;
  for (const [strategy, series] of [
    [backoff.constant(7, { jitterMs: 80 }), [27, 27, 27]],
    [backoff.linear(settings), [120, 220, 270]],
    [backoff.fibonacci(settings), [120, 120, 220]],
    [backoff.exponential(settings), [120, 220, 270]],
    [backoff.exponential({ ...settings, factor: 1.5 }), [120, 170, 245]],
    [backoff.retryAfterOr(backoff.constant(7, { jitterMs: 80 })), [27, 27, 27]],
  ]) {
    assert.deepEqual(await delays(strategy, { attempts: 4, draws }), series);
  }
});

test("a hint is followed, plus jitter, and its absence falls back", async () => {
  const fallback = backoff.constant(77);
  const hinted = (retryAfterMs) => ({ class: "RATE_LIMIT", ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  for (const [hint, want] of [
    [1_000, 1_125],
    [0, 125],
    [undefined, 77],
  ]) {
    const { execute, time } = stage({
      retry: {
        strategy: backoff.retryAfterOr(fallback, { jitterMs: 250 }),
        classifier: () => hinted(hint),
        maxAttempts: 2,
      },
    });
    await execute(script(new Error("limited")));
    assert.closeTo(time.sleeps[0], want, 0.01);
  }
});

test("with longDelay cut a hint is cut to what remains of the deadline, and works for values too", async () => {
  const { execute, time } = stage({
    retry: {
      strategy: backoff.retryAfterOr(backoff.constant(1), { jitterMs: 0 }),
      resultClassifier: () => ({ class: "RATE_LIMIT", retryAfterMs: 90_000 }),
      deadlineMs: 5_000,
      longDelay: "cut",
    },
  });
  await execute(script("later"));
  assert.deepEqual(time.sleeps, [5_000]);
});

test("adaptive grows from its smallest to its largest multiplier with the share of failures", async () => {
  const strategy = () =>
    backoff.adaptive(backoff.constant(100), {
      windowMs: 60_000,
      targetSuccess: 0.9,
      minMultiplier: 1,
      maxMultiplier: 5,
    });
  const all = await delays(strategy(), { attempts: 3 });
  // Nothing but failures: 1 + (1 - 0.1) / 0.9 * 4.
  all.forEach((delay) => assert.closeTo(delay, 500, 0.01));

  const shared = stage({ retry: { strategy: strategy(), maxAttempts: 2 } });
  for (let n = 0; n < 12; n += 1) await shared.execute(script("fine"));
  await shared.execute(script(failure(503), "fine"));
  // One failure among thirteen is tolerated.
  assert.deepEqual(shared.time.sleeps, [100]);
});

test("your own strategy sees attempt, class, delay before, what remains and the cause", async () => {
  const seen = [];
  const { execute } = stage({
    retry: {
      strategy: (context) => {
        seen.push({ ...context });
        return 5;
      },
      maxAttempts: 3,
      deadlineMs: 1_000,
    },
  });
  await execute(script(failure(503)));
  assert.equal(seen.length, 2);
  assert.equal(seen[0].attempt, 1);
  assert.equal(seen[0].class, "SERVER_ERROR");
  assert.equal(seen[0].cause, "exception");
  assert.equal(seen[0].remainingMs, 1_000);
  assert.equal(seen[1].attempt, 2);
  assert.equal(seen[1].previousSleepMs, 5);
  assert.equal(seen[1].remainingMs, 995);
});

test("a strategy of the old form (attempt, class, delay before) is taken", async () => {
  const seen = [];
  const strategy = (attempt, errorClass, previousSleepMs) => {
    seen.push([attempt, errorClass, previousSleepMs]);
    return 5;
  };
  const { execute } = stage({ retry: { strategy, maxAttempts: 3 } });
  await execute(script(failure(429)));
  assert.deepEqual(
    seen.map(([attempt, name]) => [attempt, name]),
    [
      [1, "RATE_LIMIT"],
      [2, "RATE_LIMIT"],
    ],
  );
});

test("a strategy that takes another number of arguments is refused when it is built", () => {
  for (const strategy of [(a, b) => a + b, (a, b, c, d) => a + b + c + d]) {
    assert.match(thrown(() => new Retry({ strategy })).message, /strategy/);
  }
});

test("a strategy's negative delay is 0; NaN and Infinity stop and are reported once", async () => {
  const negative = stage({ retry: { strategy: () => -5, maxAttempts: 2 } });
  assert.equal((await negative.execute(script(failure(503), 1))).value, 1);
  for (const delay of [NaN, Infinity]) {
    const reported = [];
    const { execute } = stage({ retry: { strategy: () => delay } });
    const outcome = await execute(script(failure(503)), { onHookError: (error) => reported.push(error) });
    assert.equal(outcome.stopReason, "NO_STRATEGY");
    assert.equal(outcome.attempts, 1);
    assert.equal(reported.length, 1);
  }
});

test("a strategy that throws stops with NO_STRATEGY and is reported once", async () => {
  const reported = [];
  const bug = new Error("bug");
  const { call } = stage({
    retry: {
      strategy: () => {
        throw bug;
      },
    },
  });
  const error = failure(503);
  const caught = await call(script(error), { onHookError: (why) => reported.push(why) }).catch((why) => why);
  assert.strictEqual(caught, error);
  assert.deepEqual(reported, [bug]);
});

test("jitter never exceeds its cap and no exponent overflows, whatever the attempt", async () => {
  for (const make of [backoff.decorrelatedJitter, backoff.equalJitter, backoff.tokenBackoff]) {
    const all = await delays(make({ baseMs: 250, maxMs: 2_000 }), {
      attempts: 3_000,
      draws: () => 1 - 2 ** -32,
    });
    assert.equal(all.length, 2_999);
    for (const delay of all) {
      assert.isAtMost(delay, 2_000);
      assert.isAbove(delay, 0);
    }
  }
});

test("randomness is drawn for jittered delays alone", async () => {
  let draws = 0;
  const random = () => {
    draws += 1;
    return 0.5;
  };
  const fixed = stage({ retry: { strategy: backoff.constant(5), random } });
  await fixed.execute(script(failure(503)));
  assert.equal(draws, 0);
  const jittered = stage({ retry: { strategy: backoff.equalJitter({ baseMs: 10, maxMs: 100 }), random } });
  await jittered.execute(script(failure(503), failure(503), 1));
  assert.equal(draws, 2);
});

test("two policies without a random source of their own do not wait alike", async () => {
  const runs = [];
  for (let n = 0; n < 2; n += 1) {
    const sleeps = [];
    const { policy } = stage({
      retry: {
        strategy: backoff.equalJitter({ baseMs: 10_000, maxMs: 100_000 }),
        random: undefined,
        deadlineMs: null,
        sleeper: (ms) => {
          sleeps.push(ms);
        },
      },
    });
    await policy.execute(script(failure(503)));
    runs.push(sleeps);
  }
  assert.notDeepEqual(runs[0], runs[1]);
});
