// The linter: every finding with its field, its value, what happens as it is and what to change.

import {
  Budget,
  backoff,
  CircuitBreaker,
  callSync,
  Policy,
  Retry,
  RetryConfig,
  RetryPolicy,
  rateOfCalls,
  rateOverTime,
} from "redress";
import { lint, PolicyJson, show, describe as valuesOf } from "redress/lint";
import { assert, describe, test, thrown } from "./harness.js";

describe("lint");

const strategy = backoff.constant(100);

/** Severity, field and value of each finding. */
function found(subject) {
  return lint(subject).map(({ severity, field, value }) => [severity, field, value]);
}

test("a clean configuration has no findings, built or not", () => {
  const settings = { strategy, perClassMaxAttempts: { RATE_LIMIT: 0 }, strategies: { TRANSIENT: () => 5 } };
  const circuitBreaker = new CircuitBreaker();
  const retry = new Retry(settings);
  const budget = new Budget({ ratio: 0.1 });
  for (const subject of [
    settings,
    retry,
    new RetryConfig(settings),
    new RetryPolicy(settings),
    new Policy({ retry, circuitBreaker, budget }),
    { retry, circuitBreaker, budget },
    { retry: settings, onEvent: () => {} },
    new Policy({ circuitBreaker }),
  ]) {
    assert.deepEqual(lint(subject), []);
  }
});

const ERRORS = [
  [{ strategy, deadlineMs: -1 }, "retry.deadlineMs", -1],
  [{ strategy, maxAttempts: 0 }, "retry.maxAttempts", 0],
  [{ strategy, maxAttempts: "4" }, "retry.maxAttempts", "4"],
  [{ strategy, attemptTimeoutMs: 0 }, "retry.attemptTimeoutMs", 0],
  [{ strategy, attemptTimeoutMs: 0.0001 }, "retry.attemptTimeoutMs", 0.0001],
  [{ strategy, maxUnknownAttempts: -1 }, "retry.maxUnknownAttempts", -1],
  [{ strategy, perClassMaxAttempts: { TRANSIENT: -1 } }, "retry.perClassMaxAttempts.TRANSIENT", -1],
  [{ strategy, perClassMaxAttempts: { RATELIMIT: 1 } }, "retry.perClassMaxAttempts", "RATELIMIT"],
  [{ strategies: { RATELIMIT: strategy } }, "retry.strategies", "RATELIMIT"],
  [{ strategy: 7 }, "retry.strategy", 7],
  [{ strategy, classifier: "http" }, "retry.classifier", "http"],
  [{ strategy, maxAttemps: 3 }, "retry.maxAttemps", 3],
  [{ strategy, onEvent: 5 }, "policy.onEvent", 5],
  [{ retry: { strategy }, wrong: 1 }, "policy.wrong", 1],
  [{ retry: 7 }, "retry", 7],
  [{}, "retry.strategy", undefined],
  [{ retry: {} }, "retry.strategy", undefined],
];

for (const [settings, field, value] of ERRORS) {
  test(`${field} of ${String(value)} is an error, as its construction says`, () => {
    assert.deepEqual(found(settings), [["error", field, value]]);
    const [{ message, problem, help, beside }] = lint(settings);
    assert.include(message, field);
    assert.include(message, help.replace(/^it must be (one of )?/, ""));
    assert.match(problem, /^is /);
    assert.notInclude(message, "\n");
    assert.equal(beside, undefined);
  });
}

test("all that is wrong is found, not the first alone", () => {
  const settings = {
    maxAttempts: 0,
    deadlineMs: -1,
    perClassMaxAttempts: { RATELIMIT: 1, TRANSIENT: -1, AUTH: 0 },
    strategies: { UNKNOWN: "no", CONCURRENCY: strategy },
    maxUnknownAttempts: 7,
  };
  assert.sameDeepMembers(found(settings), [
    ["error", "retry.maxAttempts", 0],
    ["error", "retry.deadlineMs", -1],
    ["error", "retry.perClassMaxAttempts", "RATELIMIT"],
    ["error", "retry.perClassMaxAttempts.TRANSIENT", -1],
    ["error", "retry.strategies.UNKNOWN", "no"],
    ["warning", "retry.maxUnknownAttempts", 7],
  ]);
});

const slow = backoff.equalJitter({ baseMs: 90_000, maxMs: 95_000 });
const slowAfter = (afterMs) => rateOverTime({ ms: 10_000, rate: 0.5, minCalls: 5, slow: { afterMs, rate: 0.5 } });
const WARNINGS = [
  [{ strategy, deadlineMs: 0 }, "retry.deadlineMs", 0],
  [{ strategy, maxAttempts: 3, maxUnknownAttempts: 4 }, "retry.maxUnknownAttempts", 4],
  [{ strategy, attemptTimeoutMs: 60_000 }, "retry.attemptTimeoutMs", 60_000],
  [{ strategy, maxAttempts: 3, perClassMaxAttempts: { RATE_LIMIT: 3 } }, "retry.perClassMaxAttempts.RATE_LIMIT", 3],
  [{ strategy, perClassMaxAttempts: { AUTH: 1 } }, "retry.perClassMaxAttempts.AUTH", 1],
  [{ strategy, strategies: { AUTH: strategy } }, "retry.strategies.AUTH", "constant"],
  [{ strategy: slow }, "retry.strategy.baseMs", 90_000],
  [{ strategy: backoff.retryAfterOr(slow) }, "retry.strategy.fallback.baseMs", 90_000],
  [{ strategy: backoff.constant(60_000) }, "retry.strategy.delayMs", 60_000],
  [{ strategy: backoff.retryAfterOr(strategy), deadlineMs: null }, "retry.strategy.atMostMs", undefined],
  [{ strategy: backoff.equalJitter({ baseMs: 20, maxMs: 10 }) }, "retry.strategy.baseMs", 20],
  [{ strategy: backoff.sequence([]) }, "retry.strategy.delaysMs", 0],
  [{ strategy, budget: new Budget({ maxRetries: 0 }) }, "budget.maxRetries", 0],
  [{ strategy, budget: new Budget({ ratio: 0.5, floorPerSec: 6, limit: 5 }) }, "budget.floorPerSec", 6],
  [{ strategy, budget: new Budget({ ratio: 0.5, initial: 6, limit: 5 }) }, "budget.initial", 6],
  [{ strategy, budget: new Budget({ ratio: 0.5, initial: 0, floorPerSec: 0 }) }, "budget.initial", 0],
  [{ strategy: backoff.sequence([10, 60_000]) }, "retry.strategy.delaysMs", 60_000],
  [{ strategy, budget: new Budget({ maxRetries: 4 }) }, "budget.maxRetries", 4],
  [{ retry: { strategy }, circuitBreaker: new CircuitBreaker({ tripOn: [] }) }, "circuitBreaker.tripOn", []],
  [
    { retry: { strategy }, circuitBreaker: new CircuitBreaker({ tripOn: ["AUTH", "PERMISSION"] }) },
    "circuitBreaker.tripOn",
    ["AUTH", "PERMISSION"],
  ],
  [{ retry: { strategy }, circuitBreaker: new CircuitBreaker({ leaseMs: 5_000 }) }, "circuitBreaker.leaseMs", 5_000],
  [
    { retry: { strategy, attemptTimeoutMs: 1_000 }, circuitBreaker: new CircuitBreaker({ window: slowAfter(1_001) }) },
    "circuitBreaker.window.slow.afterMs",
    1_001,
  ],
  [
    { retry: { strategy }, circuitBreaker: new CircuitBreaker({ maxRecoveryTimeoutMs: 30_000 }) },
    "circuitBreaker.maxRecoveryTimeoutMs",
    30_000,
  ],
];

for (const [settings, field, value] of WARNINGS) {
  test(`${field} of ${value} is a warning for options and for what is built of them`, () => {
    const built = "retry" in settings ? new Policy(settings) : new RetryPolicy(settings);
    for (const subject of [settings, built]) {
      assert.deepEqual(found(subject), [["warning", field, value]]);
      const [{ message, problem, help, beside }] = lint(subject);
      const shown = Array.isArray(value) ? value.join(", ") || "none" : value;
      const start = value === undefined ? field : `${field} (${shown})`;
      const from = beside === undefined ? "" : `: ${beside.field} is ${beside.value ?? "not set"}`;
      assert.equal(message, `${start} ${problem}${from}; ${help}`);
      assert.notMatch(message, /[a-z]_[a-z]/, "names are the package's");
    }
  });
}

test("what was used is linted without complaint; its settings are the engine's by then", () => {
  const circuitBreaker = new CircuitBreaker({ tripOn: [] });
  const budget = new Budget({ maxRetries: 0 });
  const policy = new Policy({ retry: { strategy, budget, maxAttempts: 3, maxUnknownAttempts: 9 }, circuitBreaker });
  const own = ["warning", "retry.maxUnknownAttempts", 9];
  assert.sameDeepMembers(found(policy), [
    own,
    ["warning", "budget.maxRetries", 0],
    ["warning", "circuitBreaker.tripOn", []],
  ]);
  assert.equal(
    callSync(policy, () => 1),
    1,
  );
  budget.consume();
  for (const subject of [policy, { retry: { ...policy.retry.config }, circuitBreaker }])
    assert.deepEqual(found(subject), [own]);
  assert.match(show(policy), /max_unknown_attempts: 9/);
});

test("rates over calls and over time are linted like counts of failures", () => {
  for (const window of [
    rateOfCalls({ size: 10, rate: 0.5, minCalls: 5 }),
    rateOverTime({ ms: 10_000, rate: 0.5, minCalls: 5, slow: { afterMs: 500, rate: 0.5 } }),
  ]) {
    const clean = new Policy({ retry: { strategy }, circuitBreaker: new CircuitBreaker({ window }) });
    assert.deepEqual(lint(clean), []);
    const never = new Policy({ retry: { strategy }, circuitBreaker: new CircuitBreaker({ window, tripOn: [] }) });
    assert.deepEqual(found(never), [["warning", "circuitBreaker.tripOn", []]]);
  }
});

test("what is no configuration is refused, and nothing that is linted changes", () => {
  for (const subject of [
    7,
    null,
    undefined,
    "x",
    [],
    new Map(),
    () => {},
    new CircuitBreaker(),
    new Budget({ ratio: 0.1 }),
  ]) {
    const error = thrown(() => lint(subject));
    assert.instanceOf(error, TypeError);
    assert.match(error.message, /^Expected a RetryConfig, /);
  }
  const settings = Object.freeze({ maxAttempts: 0, strategies: Object.freeze({ NOPE: strategy }) });
  lint(settings);
  assert.deepEqual(Object.keys(settings), ["maxAttempts", "strategies"]);
});

test("a hint without bounds, and what is retried although it is final, are found; the rule for long delays is shown", () => {
  const bare = new RetryPolicy({ strategy: backoff.retryAfterOr(backoff.constant(1_000), { jitterMs: 0 }) });
  const [{ severity, value, help }, ...others] = lint(bare);
  assert.deepEqual([severity, value, others.length], ["warning", "retryAfterOr", 0]);
  assert.include(help, "atLeastMs");
  const final = { strategy: backoff.constant(1), retriable: { AUTH: 1, PERMISSION: 2 }, longDelay: "cut" };
  assert.deepEqual(
    lint(final).map((one) => [one.severity, one.field, one.value]),
    [
      ["note", "retry.retriable.AUTH", 1],
      ["note", "retry.retriable.PERMISSION", 2],
    ],
  );
  assert.match(lint(final)[0].message, /^retry\.retriable\.AUTH \(1\) repeats /);
  assert.include(show(final), "  retriable: AUTH, PERMISSION\n  long_delay: cut\n");
  const silent = new Policy({ circuitBreaker: new CircuitBreaker({ halfOpenOn: [] }) });
  assert.deepEqual(
    lint(silent).map((one) => one.field),
    ["circuitBreaker.halfOpenOn"],
  );
});

test("a finding is data, with the option that it comes from", () => {
  const retry = { strategy, maxAttempts: 3, attemptTimeoutMs: 1_000, perClassMaxAttempts: { RATE_LIMIT: 4 } };
  const circuitBreaker = new CircuitBreaker({ leaseMs: 2_000 });
  const [limit, lease] = lint({ retry, circuitBreaker });
  assert.deepEqual(limit, {
    severity: "warning",
    field: "retry.perClassMaxAttempts.RATE_LIMIT",
    value: 4,
    problem: "is never reached",
    beside: { field: "retry.maxAttempts", value: 3 },
    help: "lower it below maxAttempts, or leave it out",
    message:
      "retry.perClassMaxAttempts.RATE_LIMIT (4) is never reached: retry.maxAttempts is 3; lower it below maxAttempts, or leave it out",
  });
  assert.deepEqual(lease.beside, { field: "the longest call in ms", value: 3_200 });
  const [wide] = lint({ strategy, strategies: { UNKNOWN: backoff.fullJitter({ baseMs: 20, maxMs: 10 }) } });
  assert.deepEqual(
    [wide.field, wide.beside],
    ["retry.strategies.UNKNOWN.baseMs", { field: "retry.strategies.UNKNOWN.maxMs", value: 10 }],
  );
  const [never] = lint({ strategy, deadlineMs: null, maxAttempts: 4_294_967_295 });
  assert.deepEqual(never.beside, { field: "retry.deadlineMs", value: undefined });
  assert.include(never.message, ": retry.deadlineMs is not set; ");
});

test("a strategy that grows without jitter is noted", () => {
  const shared = { strategies: { UNKNOWN: backoff.retryAfterOr(backoff.fibonacci({ baseMs: 10 })) } };
  for (const [settings, field, value] of [
    [{ strategy: backoff.exponential({ baseMs: 10 }) }, "retry.strategy", "exponential"],
    [{ strategy: backoff.exponential({ baseMs: 10, factor: 3 }) }, "retry.strategy", "exponential"],
    [shared, "retry.strategies.UNKNOWN.fallback", "fibonacci"],
  ]) {
    assert.deepEqual(found(settings), [["note", field, value]]);
    assert.match(lint(settings)[0].message, /has no jitter: .*; prefer equalJitter, /);
  }
});

test("a policy in JSON has strategies, breaker and budget by their options", () => {
  const good = {
    retry: {
      maxAttempts: 4,
      deadlineMs: null,
      strategy: {
        kind: "retryAfterOr",
        jitterMs: 0,
        atLeastMs: 10,
        atMostMs: 60_000,
        fallback: { kind: "equalJitter", baseMs: 10 },
      },
      strategies: { TRANSIENT: "tokenBackoff", CONCURRENCY: { kind: "sequence", delaysMs: [1, 2] } },
      budget: { ratio: 0.1 },
    },
    circuitBreaker: { failureThreshold: 3 },
  };
  assert.deepEqual(lint(new PolicyJson(good)), []);
  assert.include(
    show(new PolicyJson(good)),
    "default_strategy: retry_after_or(equal_jitter(0.01s, 30s), 0s, at least 0.01s, at most 60s)",
  );
  const bad = {
    strategy: { kind: "equalJitter", baseMs: -1, maxMs: "x", steps: 1 },
    strategies: {
      RATE_LIMIT: { kind: "retryAfterOr", fallback: { kind: "constant", delayMs: -3 } },
      TRANSIENT: { kind: "sequence", delaysMs: [1, -2, 3, -4] },
      UNKNOWN: "sometimes",
      SERVER_ERROR: { kind: "constant" },
    },
    budget: { ratio: 3 },
  };
  assert.sameDeepMembers(found(new PolicyJson(bad)), [
    ["error", "retry.strategy.baseMs", -1],
    ["error", "retry.strategy.maxMs", "x"],
    ["error", "retry.strategy.steps", 1],
    ["error", "retry.strategies.RATE_LIMIT.fallback.delayMs", -3],
    ["error", "retry.strategies.TRANSIENT.delaysMs[1]", -2],
    ["error", "retry.strategies.TRANSIENT.delaysMs[3]", -4],
    ["error", "retry.strategies.UNKNOWN.kind", "sometimes"],
    ["error", "retry.strategies.SERVER_ERROR.delayMs", undefined],
    ["error", "budget.ratio", 3],
  ]);
  const breaker = { failureThreshold: 0, tripOn: ["X", "TRANSIENT", "Y"], window: { kind: "calls", size: 8 } };
  assert.sameDeepMembers(found(new PolicyJson({ retry: { strategy: "fullJitter" }, circuitBreaker: breaker })), [
    ["error", "circuitBreaker.window.rate", undefined],
    ["error", "circuitBreaker.window.minCalls", undefined],
    ["error", "circuitBreaker.failureThreshold", 0],
    ["error", "circuitBreaker.tripOn[0]", "X"],
    ["error", "circuitBreaker.tripOn[2]", "Y"],
  ]);
});

test("all issues of a policy in JSON are found in one pass, each at its path", () => {
  const json = {
    retry: {
      maxAttempts: 0,
      deadlineMs: "soon",
      longDelay: "never",
      maxTries: 3,
      strategy: {
        kind: "retryAfterOr",
        atLeastMs: 10,
        atMostMs: 5,
        jitter: 1,
        fallback: {
          kind: "adaptive",
          targetSuccess: 2,
          fallback: { kind: "sequence", delaysMs: [-1, 2, "3"], loop: 1 },
        },
      },
      strategies: { TRANSIENT: { kind: "adaptive" }, TRANSIENTS: "fullJitter", UNKNOWN: 7 },
      perClassMaxAttempts: { AUTH: -1, RATELIMIT: 1, RATE_LIMITED: 2, UNKNOWN: 0.5 },
      retriable: { PERMISSION: "x", TRANSIENT: 1 },
      budget: { ratio: 0.1, initial: -1, limit: 0, windowMs: 5 },
    },
    circuitBreaker: {
      window: { kind: "time", ms: 0, rate: 2, minCalls: 1, slow: { afterMs: 0, rate: "half", share: 1 } },
      windowMs: 5,
      tripOn: ["TRANSIENT", "transient", 7],
      halfOpenOn: "AUTH",
      leaseMs: 0,
      checkBeforeRetry: 1,
      wrong: true,
    },
    stackTrace: "yes",
    unref: 1,
    hook: null,
  };
  assert.sameDeepMembers(
    found(new PolicyJson(json)),
    [
      ["retry.maxAttempts", 0],
      ["retry.deadlineMs", "soon"],
      ["retry.longDelay", "never"],
      ["retry.maxTries", 3],
      ["retry.strategy.atMostMs", 5],
      ["retry.strategy.jitter", 1],
      ["retry.strategy.fallback.targetSuccess", 2],
      ["retry.strategy.fallback.fallback.delaysMs[0]", -1],
      ["retry.strategy.fallback.fallback.delaysMs[2]", "3"],
      ["retry.strategy.fallback.fallback.loop", 1],
      ["retry.strategies.TRANSIENT.fallback", undefined],
      ["retry.strategies", "TRANSIENTS"],
      ["retry.strategies.UNKNOWN", 7],
      ["retry.perClassMaxAttempts.AUTH", -1],
      ["retry.perClassMaxAttempts", "RATELIMIT"],
      ["retry.perClassMaxAttempts", "RATE_LIMITED"],
      ["retry.perClassMaxAttempts.UNKNOWN", 0.5],
      ["retry.retriable.PERMISSION", "x"],
      ["retry.retriable.TRANSIENT", 1],
      ["budget.initial", -1],
      ["budget.limit", 0],
      ["budget.windowMs", 5],
      ["circuitBreaker.window.ms", 0],
      ["circuitBreaker.window.rate", 2],
      ["circuitBreaker.window.slow.afterMs", 0],
      ["circuitBreaker.window.slow.rate", "half"],
      ["circuitBreaker.window.slow.share", 1],
      ["circuitBreaker.windowMs", 5],
      ["circuitBreaker.tripOn[1]", "transient"],
      ["circuitBreaker.tripOn[2]", 7],
      ["circuitBreaker.halfOpenOn", "AUTH"],
      ["circuitBreaker.leaseMs", 0],
      ["circuitBreaker.checkBeforeRetry", 1],
      ["circuitBreaker.wrong", true],
      ["policy.stackTrace", "yes"],
      ["retry.unref", 1],
      ["policy.hook", null],
    ].map((issue) => ["error", ...issue]),
  );
  const { message, help } = lint(new PolicyJson(json)).find(({ field }) => field.endsWith("delaysMs[2]"));
  assert.equal(
    message,
    'retry.strategy.fallback.fallback.delaysMs[2]: "3" is not a number of at least 0, at most 9007199254740.992',
  );
  assert.equal(help, "it must be a number of at least 0, at most 9007199254740.992");
});

test("a strategy in JSON lists the settings that there are, a kind those of strategies", () => {
  const messages = (strategy) => lint(new PolicyJson({ strategy })).map(({ message }) => message);
  const kinds = Object.keys(backoff);
  for (const [json, words] of [
    [{ kind: "constant", delayMs: 1, baseMs: 2 }, "retry.strategy.baseMs is no option; there are delayMs, jitterMs"],
    [
      { kind: "constant", delayMs: 1, jitterMs: -2 },
      "retry.strategy.jitterMs: -2 is out of range: a number of at least 0",
    ],
    [{ kind: "fullJitter", delayMs: 1 }, "retry.strategy.delayMs is no option; there are baseMs, maxMs"],
    [{ kind: "sequence", delaysMs: 7 }, "retry.strategy.delaysMs: 7 is not an array of milliseconds"],
    [{ kind: "toString" }, 'retry.strategy.kind: "toString" is not one of '],
    [{}, "retry.strategy.kind: undefined is not one of "],
    [[], "retry.strategy: an array is not a strategy: one of backoff, or a function"],
  ]) {
    const [message, ...others] = messages(json);
    assert.deepEqual(others, []);
    assert.isTrue(message.startsWith(words), message);
    if (words.endsWith("one of ")) for (const kind of kinds) assert.include(message, kind);
  }
});

test("what is wrong is thrown again after a lint, also after one that something ended, and collected by the outer of two", () => {
  const isThrown = () =>
    assert.instanceOf(
      thrown(() => new RetryPolicy({ strategy, maxAttempts: 0 })),
      RangeError,
    );
  const broken = {
    get admit() {
      throw new Error("no breaker");
    },
  };
  assert.equal(lint({ strategy, maxAttempts: 0 }).length, 1);
  isThrown();
  assert.equal(thrown(() => lint({ circuitBreaker: broken, onEvent: 5 })).message, "no breaker");
  isThrown();
  let inner;
  const linting = {
    get admit() {
      inner = found({ strategy, maxAttempts: 0 });
      return () => {};
    },
    settle() {},
  };
  assert.deepEqual(found({ circuitBreaker: linting, onEvent: 5, unref: 7 }), [
    ["error", "policy.onEvent", 5],
    ["error", "policy.unref", 7],
  ]);
  assert.deepEqual(inner, [["error", "retry.maxAttempts", 0]]);
  isThrown();
});

test("the printed form has all values with their defaults, strategies and limits by class", () => {
  const slowly = () => 5;
  const policy = new Policy({
    retry: {
      strategy,
      strategies: { TRANSIENT: backoff.fibonacci({ baseMs: 1_000, maxMs: 9_000 }), CONCURRENCY: slowly },
      perClassMaxAttempts: { RATE_LIMIT: 0 },
      attemptTimeoutMs: 1_500,
      maxUnknownAttempts: null,
    },
    sleep: function later() {
      return "sleep";
    },
  });
  const { sleep, class_strategies: own, ...others } = valuesOf(policy, "app:policy");
  assert.match(sleep, /^function /);
  assert.match(own.CONCURRENCY, /^function /);
  assert.deepEqual(others, {
    source: "app:policy",
    deadline_s: 60,
    attempt_timeout_s: 1.5,
    max_attempts: 6,
    max_unknown_attempts: null,
    default_strategy: "constant(0.1s)",
    per_class_max_attempts: { RATE_LIMIT: 0 },
  });
  assert.deepEqual(show(policy, "app:policy").split("\n"), [
    "Config snapshot:",
    "  source: app:policy",
    "  deadline_s: 60",
    "  attempt_timeout_s: 1.5",
    "  max_attempts: 6",
    "  max_unknown_attempts: None",
    "  default_strategy: constant(0.1s)",
    `  sleep: ${sleep}`,
    "  class_strategies:",
    `    CONCURRENCY: ${own.CONCURRENCY}`,
    "    TRANSIENT: fibonacci(1s, 9s)",
    "  per_class_max_attempts:",
    "    RATE_LIMIT: 0",
    "",
  ]);
});

test("the printed form shows what is refused as it was given", () => {
  const settings = { deadlineMs: -1_000, maxAttempts: 0, perClassMaxAttempts: { X: -1 } };
  assert.deepEqual(valuesOf(settings), {
    source: "config",
    deadline_s: -1,
    attempt_timeout_s: null,
    max_attempts: 0,
    max_unknown_attempts: 2,
    default_strategy: null,
    sleep: null,
    class_strategies: {},
    per_class_max_attempts: { X: -1 },
  });
  assert.include(thrown(() => valuesOf(new Policy({ circuitBreaker: new CircuitBreaker() }))).message, "no retry");
});
