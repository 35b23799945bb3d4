// A call without a hook ends as one with a hook does: two drivers walk the same steps.

import { AbortRetryError, Budget, backoff, CircuitBreaker, Policy } from "redress";
import { assert, describe, rejection, test } from "./harness.js";
import { failure } from "./stage.js";

describe("plain calls");

/** What operations return, one after the other: a value, a thrown error, a promise, a promise of another make. */
const FORMS = {
  "throws and returns": {
    fails: (error) => {
      throw error;
    },
    succeeds: (value) => value,
  },
  "rejects and resolves": {
    fails: async (error) => {
      throw error;
    },
    succeeds: async (value) => value,
  },
  "has thenables of its own": {
    fails: (error) => ({ then: (_, no) => no(error) }),
    succeeds: (value) => ({ then: (yes) => void (yes(value), yes("twice")) }),
  },
  "has thenables that throw": {
    fails: (error) => ({
      then: () => {
        throw error;
      },
    }),
    succeeds: (value) => Promise.resolve(value),
  },
  "has a `then` that cannot be read": {
    fails: (error) => ({
      get then() {
        throw error;
      },
    }),
    succeeds: (value) => value,
  },
};

const busy = failure(503);
const CASES = {
  "a success at once": ["done"],
  "a success after failures": [busy, failure(429), "done"],
  "attempts that are used up": [busy, busy, busy, busy],
  "a final class": [busy, failure(404)],
  "unknown failures, then too many": [failure(), failure(), failure()],
  "an operation that asks to stop": [busy, new AbortRetryError("enough")],
  "a thing thrown that is no error": [null, undefined, "text"],
};

/** Runs calls one after the other, on time that timers move; how each ended, and what it took. */
async function play(settings, script, form, options) {
  let now = 0;
  const sleeps = [];
  const kept = globalThis.setTimeout;
  // A timer that is not stopped before the next turn of the loop lets its whole time pass.
  globalThis.setTimeout = (run, ms, ...more) => {
    // Of the runtime's own, for connections that are kept.
    if (more.length > 0) return kept(run, ms, ...more);
    return kept(() => {
      sleeps.push(ms);
      now += ms;
      run();
    }, 0);
  };
  const ends = [];
  try {
    const policy = new Policy(settings(() => now));
    for (const results of script) {
      let attempts = 0;
      const numbers = [];
      const operation = (attempt) => {
        numbers.push(attempt.attempt, attempt.remainingMs);
        const result = results[attempts];
        attempts += 1;
        now += 5;
        return result === "done" ? form.succeeds(result) : form.fails(result);
      };
      const end = await policy.call(operation, options).then(
        (value) => ({ value }),
        (error) => ({ error }),
      );
      ends.push({ ...end, numbers, now });
    }
  } finally {
    globalThis.setTimeout = kept;
  }
  return { ends, sleeps };
}

function alike(first, second) {
  assert.deepEqual(first.sleeps, second.sleeps);
  assert.equal(first.ends.length, second.ends.length);
  first.ends.forEach(({ error, ...end }, index) => {
    const { error: other, ...more } = second.ends[index];
    assert.deepEqual(end, more);
    if (error?.name !== "CircuitOpenError") assert.strictEqual(error, other);
    else assert.deepEqual(JSON.stringify(error), JSON.stringify(other));
  });
}

const KINDS = {
  "retry with delays": (clock) => ({
    clock,
    retry: { maxAttempts: 4, strategy: backoff.exponential({ baseMs: 100 }) },
  }),
  "retry without delays": (clock) => ({ clock, retry: { maxAttempts: 4, strategy: backoff.constant(0) } }),
  "a short deadline": (clock) => ({ clock, retry: { deadlineMs: 150, strategy: backoff.constant(100) } }),
  "no deadline": (clock) => ({ clock, retry: { deadlineMs: null, strategy: backoff.constant(100) } }),
  "breaker and budget": (clock) => ({
    retry: {
      clock,
      maxAttempts: 3,
      strategy: backoff.constant(10),
      budget: new Budget({ maxRetries: 3, windowMs: 1_000, clock }),
    },
    circuitBreaker: new CircuitBreaker({ failureThreshold: 2, recoveryTimeoutMs: 1_000, clock }),
  }),
  "an adaptive strategy": (clock) => ({ clock, retry: { strategy: backoff.adaptive(backoff.constant(100)) } }),
  "no retry": (clock) => ({ clock }),
};

for (const [kind, settings] of Object.entries(KINDS)) {
  for (const [how, form] of Object.entries(FORMS)) {
    test(`with ${kind}, an operation that ${how} ends as it does with a hook`, async () => {
      const script = [...Object.values(CASES), ...Object.values(CASES).reverse()];
      const plain = await play(settings, script, form, undefined);
      const heard = await play(settings, script, form, { onEvent: () => {} });
      alike(plain, heard);
      assert.isTrue(plain.ends.some(({ error }) => error !== undefined));
    });
  }
}

test("failures at once do not pile up on the stack", async () => {
  const policy = new Policy({ retry: { maxAttempts: 100_000, strategy: backoff.constant(0) } });
  let calls = 0;
  const error = await rejection(
    policy.call(() => {
      calls += 1;
      throw busy;
    }),
  );
  assert.strictEqual(error, busy);
  assert.equal(calls, 100_000);
});

test("a clock that breaks rejects the call, whenever it does, and leaves no probe behind", async () => {
  const broken = new Error("no time");
  let brokeAt = 0;
  for (let breaksAt = 1; brokeAt === breaksAt - 1; breaksAt += 1) {
    let now = 0;
    const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 10, clock: () => now });
    const opening = circuitBreaker.admit();
    circuitBreaker.settle(opening.permit, "TRANSIENT");
    now = 20;
    let asked = 0;
    const clock = () => {
      asked += 1;
      if (asked === breaksAt) throw broken;
      return asked;
    };
    const policy = new Policy({ circuitBreaker, retry: { clock, maxAttempts: 3, strategy: backoff.constant(1) } });
    const error = await rejection(
      policy.call(async () => {
        throw busy;
      }),
    );
    if (error === broken) {
      brokeAt = breaksAt;
      const probe = circuitBreaker.admit();
      assert.isTrue(probe.ok, `the probe of a call that broke at ${breaksAt} holds its place`);
    }
  }
  // A start, three failures, and the end of two delays.
  assert.equal(brokeAt, 6);
});

test("a clock that breaks while an attempt is in flight rejects the call", async () => {
  const broken = new Error("no time");
  for (const options of [undefined, { onEvent: () => {} }]) {
    let asked = 0;
    const clock = () => {
      asked += 1;
      if (asked > 1) throw broken;
      return asked;
    };
    const policy = new Policy({ retry: { clock, strategy: backoff.constant(1) } });
    assert.strictEqual(await rejection(policy.call(() => new Promise(() => {}), options)), broken);
  }
});
