// Every option: what it takes works, and all else is refused where it is written, naming path, value and range.

import {
  Budget,
  backoff,
  CircuitBreaker,
  callSync,
  context,
  Policy,
  Retry,
  RetryConfig,
  RetryPolicy,
  rateOfCalls,
  rateOverTime,
  retry,
} from "redress";
import { assert, describe, rejection, test, thrown } from "./harness.js";
import { failure } from "./stage.js";

describe("options");

const constant = backoff.constant(0);
const MICROSECOND = 0.001;
const LONGEST_MS = 2 ** 53 / 1_000;

/** What is no number at all; then, what is none in a range. */
const NO_NUMBERS = ["1", "", true, {}, [], () => 1];
const beyond = ({ min = 0, max, whole = false, none = false }) => [
  NaN,
  ...(none ? [] : [Infinity]),
  -Infinity,
  -1,
  min - (whole ? 1 : MICROSECOND / 4),
  ...(max === undefined ? [] : [max + (whole ? 1 : max / 1_000)]),
  ...(whole ? [min + 0.5] : []),
];

const policyOf = (settings) => new Policy({ retry: { strategy: constant, sleeper: () => {}, ...settings } });
/** One failure and a success, through everything that is set; a deadline of 0 has no time for the latter. */
const used = (policy) => {
  let calls = 0;
  const operation = () => {
    calls += 1;
    if (calls === 1) throw failure(503);
    return calls;
  };
  try {
    callSync(policy, operation);
  } catch (error) {
    if (error.status !== 503) throw error;
  }
};
const retrying = (settings) => used(policyOf({ ...settings, maxAttempts: 2 }));
const waiting = (strategy) => callSync(policyOf({ strategy, deadlineMs: null }), () => 1) && retrying({ strategy });

const breakerOf = (settings) => new CircuitBreaker(settings).state;
const rollingOf = (settings) => new Budget({ maxRetries: 1, ...settings }).consume();
const ratioOf = (settings) => new Budget({ ratio: 0.5, ...settings }).consume();
const callsOf = (settings) => breakerOf({ window: rateOfCalls({ size: 1_024, rate: 0.5, minCalls: 1, ...settings }) });
const timeOf = (settings) => breakerOf({ window: rateOverTime({ ms: 1_000, rate: 0.5, minCalls: 1, ...settings }) });
const slowOf = (slow) => timeOf({ slow: { afterMs: 1, rate: 0.5, ...slow } });
const adaptiveOf = (settings) => waiting(backoff.adaptive(constant, { minMultiplier: 0, ...settings }));

/** Options that are numbers: path, what builds and uses it, and its range; `null` for those that may be none. */
const NUMBERS = [
  ["retry.maxAttempts", policyOf, { min: 1, max: 2 ** 32 - 1, whole: true, none: true }],
  ["retry.deadlineMs", retrying, { none: true }],
  ["retry.initialDelayMs", retrying, {}],
  ["retry.attemptTimeoutMs", retrying, { min: MICROSECOND, none: true }],
  ["retry.maxUnknownAttempts", retrying, { max: 65_534, whole: true, none: true }],
  ["retry.perClassMaxAttempts.UNKNOWN", (own) => retrying({ perClassMaxAttempts: own }), { max: 65_534, whole: true }],
  ["retry.retriable.AUTH", (own) => retrying({ retriable: own }), { max: 65_534, whole: true }],
  ["context.deadlineMs", (settings) => context(new Policy(), settings), { none: true }],
  ["circuitBreaker.failureThreshold", breakerOf, { min: 1, max: 255, whole: true }],
  ["circuitBreaker.windowMs", breakerOf, { min: MICROSECOND }],
  ["circuitBreaker.recoveryTimeoutMs", breakerOf, { min: MICROSECOND }],
  ["circuitBreaker.maxRecoveryTimeoutMs", breakerOf, { min: 30_000, none: true }],
  ["circuitBreaker.leaseMs", breakerOf, { min: MICROSECOND }],
  ["circuitBreaker.halfOpenPermits", breakerOf, { min: 1, max: 4, whole: true }],
  ["circuitBreaker.successesToClose", breakerOf, { min: 1, max: 15, whole: true }],
  ["circuitBreaker.recoveryJitterMs", breakerOf, {}],
  ["circuitBreaker.openForHintMs", breakerOf, { min: MICROSECOND, none: true }],
  [
    "circuitBreaker.classThresholds.AUTH",
    (own) => breakerOf({ failureThreshold: 1, classThresholds: own }),
    { min: 1, max: 255, whole: true },
  ],
  ["circuitBreaker.window.size", callsOf, { min: 1, max: 1_024, whole: true }],
  ["circuitBreaker.window.rate", callsOf, { min: 0.001, max: 1 }],
  ["circuitBreaker.window.minCalls", callsOf, { min: 1, max: 1_024, whole: true }],
  ["circuitBreaker.window.ms", timeOf, { min: 0.01 }],
  ["circuitBreaker.window.rate", timeOf, { min: 0.001, max: 1 }],
  ["circuitBreaker.window.minCalls", timeOf, { min: 1, max: 65_535, whole: true }],
  ["circuitBreaker.window.slow.afterMs", slowOf, { min: MICROSECOND }],
  ["circuitBreaker.window.slow.rate", slowOf, { min: 0.001, max: 1 }],
  ["budget.maxRetries", rollingOf, { max: 4_096, whole: true }],
  ["budget.windowMs", rollingOf, { min: MICROSECOND }],
  ["budget.ratio", ratioOf, { min: 0.001, max: 1 }],
  ["budget.initial", ratioOf, { max: 100_000, whole: true }],
  ["budget.floorPerSec", ratioOf, { max: 100_000, whole: true }],
  ["budget.limit", ratioOf, { min: 1, max: 100_000, whole: true }],
  ["backoff.exponential.factor", (own) => waiting(backoff.exponential(own)), { min: 0.001, max: 65_535 }],
  ["backoff.retryAfterOr.jitterMs", (own) => waiting(backoff.retryAfterOr(constant, own)), { max: LONGEST_MS }],
  ["backoff.retryAfterOr.atLeastMs", (own) => waiting(backoff.retryAfterOr(constant, own)), { max: LONGEST_MS }],
  [
    "backoff.retryAfterOr.atMostMs",
    (own) => waiting(backoff.retryAfterOr(constant, own)),
    { max: LONGEST_MS, none: true },
  ],
  ["backoff.adaptive.windowMs", adaptiveOf, { min: MICROSECOND }],
  ["backoff.adaptive.targetSuccess", adaptiveOf, { min: 0.001, max: 1 }],
  ["backoff.adaptive.maxMultiplier", adaptiveOf, { max: 4_000 }],
  ["backoff.adaptive.minMultiplier", adaptiveOf, { max: 5 }],
];
for (const kind of ["exponential", "linear", "fibonacci"]) {
  NUMBERS.push([`backoff.${kind}.jitterMs`, (own) => waiting(backoff[kind](own)), { max: LONGEST_MS }]);
}
NUMBERS.push(["backoff.constant.jitterMs", (own) => waiting(backoff.constant(1, own)), { max: LONGEST_MS }]);
for (const kind of [
  "exponential",
  "linear",
  "fibonacci",
  "fullJitter",
  "equalJitter",
  "decorrelatedJitter",
  "tokenBackoff",
]) {
  for (const name of ["baseMs", "maxMs"]) {
    const range = { max: LONGEST_MS, none: name === "maxMs" };
    NUMBERS.push([`backoff.${kind}.${name}`, (own) => waiting(backoff[kind](own)), range]);
  }
}

for (const [path, use, range] of NUMBERS) {
  const name = path.split(".").at(-1);
  const { min = 0, max, whole = false, none = false } = range;
  const right = `${whole ? "a whole number" : "a number"} of at least ${min}${max === undefined ? "" : `, at most ${max}`}`;
  test(`${path} is ${right}${none ? ", or null or Infinity" : ""}`, () => {
    for (const value of [
      min,
      ...(max === undefined ? [Number.MAX_SAFE_INTEGER] : [max]),
      ...(none ? [null, Infinity] : []),
    ]) {
      use({ [name]: value });
    }
    for (const value of [...NO_NUMBERS, ...(none ? [] : [null])]) {
      refuses(() => use({ [name]: value }), TypeError, `${path}: `, ` is not ${right}`, value);
    }
    for (const value of beyond(range)) {
      refuses(() => use({ [name]: value }), RangeError, `${path}: ${value} is out of range: ${right}`);
    }
  });
}

/** Whether it is refused in these words, and with the value if it can be shown. */
function refuses(build, kind, start, end = "", value = undefined) {
  const error = thrown(build);
  assert.instanceOf(error, kind, error.message);
  assert.isTrue(
    error.message.startsWith(start) && error.message.includes(end),
    `${error.message}\nis not\n${start} .. ${end}`,
  );
  if (typeof value === "string") assert.include(error.message, JSON.stringify(value));
  if (typeof value === "boolean" || value === null) assert.include(error.message, String(value));
}

const lent = (settings) => new Policy({ retry: { strategy: constant }, ...settings });
const alone = (settings) => new Policy(settings);
const short = (settings) => new RetryPolicy({ strategy: constant, ...settings });
const FUNCTIONS = [
  ...["classifier", "resultClassifier", "clock", "random", "sleeper"].flatMap((name) => [
    [`retry.${name}`, policyOf],
    [`retry.${name}`, lent],
    [`policy.${name}`, alone],
  ]),
  ["circuitBreaker.clock", breakerOf],
  ["budget.clock", rollingOf],
  ["budget.clock", ratioOf],
  ...[
    "onEvent",
    "onMetric",
    "onLog",
    "onAttemptStart",
    "onAttemptEnd",
    "onHookError",
    "abortIf",
    "sleep",
    "beforeSleep",
    "beforeRetry",
  ].flatMap((name) => [
    [`policy.${name}`, alone],
    [`policy.${name}`, short],
    [`context.${name}`, (settings) => context(new Policy(), settings)],
  ]),
];
for (const [path, build] of FUNCTIONS) {
  test(`${path} is a function: ${build.name}`, () => {
    const name = path.split(".").at(-1);
    build({ [name]: () => null });
    for (const value of ["x", 7, true, {}, []])
      refuses(() => build({ [name]: value }), TypeError, `${path}: `, " is not a function", value);
  });
}

const CLASSES =
  "is no class; there are AUTH, PERMISSION, PERMANENT, CONCURRENCY, RATE_LIMIT, SERVER_ERROR, TRANSIENT, UNKNOWN";
/** Other options: what they take, and what they refuse with which words. */
const OTHERS = [
  [
    "retry.strategy",
    policyOf,
    [constant, () => 1, (_attempt, _name, previous) => previous, { delay: () => 1 }],
    [7, "fullJitter", {}, null, []],
    "a strategy: one of backoff, or a function",
  ],
  [
    "retry.strategies.TRANSIENT",
    (own) => policyOf({ strategies: own }),
    [constant, undefined],
    [7, "x", null],
    "a strategy: one of backoff, or a function",
  ],
  ["retry.strategies", policyOf, [{}, undefined], [7, "x", null], "an object by class"],
  ["retry.perClassMaxAttempts", policyOf, [{ AUTH: 0 }, undefined], [7, "x", null], "an object by class"],
  ["retry.abortErrors", policyOf, ["abort", "classify", undefined], ["Abort", 1, null, true], '"abort" or "classify"'],
  ["policy.abortErrors", alone, ["abort", "classify"], ["Abort", 1, null, true], '"abort" or "classify"'],
  ["retry.longDelay", policyOf, ["stop", "cut", undefined], ["Stop", 1, null, true], '"stop" or "cut"'],
  ["retry.retriable", policyOf, [{}, { AUTH: 0 }, undefined], [7, "x", null], "an object by class"],
  [
    "retry.budget",
    policyOf,
    [new Budget({ maxRetries: 1 }), { consume: () => true }],
    [7, "x", null, {}, { ratio: 0.1 }],
    "a Budget, or an object with `consume`",
  ],
  ["policy.budget", alone, [new Budget({ maxRetries: 1 })], [7, null, {}], "a Budget, or an object with `consume`"],
  ["retry.unref", policyOf, [true, false], ["yes", 1, {}], "true or false"],
  ["policy.unref", alone, [true, false], ["yes", 1, {}], "true or false"],
  [
    "policy.circuitBreaker",
    alone,
    [new CircuitBreaker(), { admit() {}, settle() {} }],
    [7, "x", null, {}, { failureThreshold: 3 }],
    "a CircuitBreaker, or an object with `admit` and `settle`",
  ],
  [
    "retry",
    (own) => alone(own),
    [new Retry({ strategy: constant }), { strategy: constant }],
    [7, "x", null],
    "a Retry or its options",
  ],
  ["circuitBreaker.tripOn", breakerOf, [[], ["AUTH"]], ["AUTH", 7, null, {}], "an array of classes"],
  ["circuitBreaker.halfOpenOn", breakerOf, [[], ["AUTH"]], ["AUTH", 7, null, {}], "an array of classes"],
  ["circuitBreaker.checkBeforeRetry", breakerOf, [true, false], ["yes", 1, null, {}], "true or false"],
  ["circuitBreaker.classThresholds", breakerOf, [{}], [7, "x", null], "an object by class"],
  [
    "circuitBreaker.window.slow",
    timeOf,
    [undefined, { afterMs: 1, rate: 1 }],
    [7, "x", null, []],
    "an object of options",
  ],
  [
    "circuitBreaker.window",
    breakerOf,
    [undefined],
    [7, "calls", null, { kind: "calls", size: 8, rate: 0.5, minCalls: 1 }],
    "a window: of rateOfCalls or rateOverTime",
  ],
  ["policy.operation", alone, ["read", ""], [7, {}, true], "a string"],
  ["policy.captureTimeline", alone, [true], ["yes", 1], "true or false"],
  ["policy.stackTrace", alone, [true], ["yes", 1], "true or false"],
];
for (const [path, build, right, wrong, words] of OTHERS) {
  test(`${path} is ${words}`, () => {
    const name = path.split(".").at(-1);
    for (const value of right) build({ [name]: value });
    for (const value of wrong)
      refuses(() => build({ [name]: value }), TypeError, `${path}: `, ` is not ${words}`, value);
  });
}

test("what is named by class must be a class", () => {
  refuses(
    () => policyOf({ strategies: { TRANSIENTS: constant } }),
    TypeError,
    `retry.strategies: "TRANSIENTS" ${CLASSES}`,
  );
  refuses(
    () => policyOf({ perClassMaxAttempts: { RATELIMIT: 1 } }),
    TypeError,
    `retry.perClassMaxAttempts: "RATELIMIT" ${CLASSES}`,
  );
  refuses(
    () => breakerOf({ classThresholds: { transient: 1 } }),
    TypeError,
    `circuitBreaker.classThresholds: "transient" ${CLASSES}`,
  );
  refuses(() => policyOf({ retriable: { Auth: 1 } }), TypeError, `retry.retriable: "Auth" ${CLASSES}`);
  refuses(
    () => policyOf({ retriable: { TRANSIENT: 1 } }),
    TypeError,
    "retry.retriable.TRANSIENT: 1 is not of AUTH, PERMISSION and PERMANENT: other classes are retried anyway",
  );
  refuses(
    () => breakerOf({ halfOpenOn: ["AUTH", "auth"] }),
    TypeError,
    `circuitBreaker.halfOpenOn[1]: "auth" ${CLASSES}`,
  );
  refuses(() => breakerOf({ tripOn: ["AUTH", "auth"] }), TypeError, `circuitBreaker.tripOn[1]: "auth" ${CLASSES}`);
});

test("what does not go together is refused", () => {
  for (const [name, value] of Object.entries({ failureThreshold: 5, windowMs: 1_000, classThresholds: { AUTH: 1 } })) {
    const both = { window: rateOfCalls({ size: 8, rate: 0.5, minCalls: 1 }), [name]: value };
    refuses(() => breakerOf(both), TypeError, `circuitBreaker.${name}: `, " is not used with `window`");
  }
  refuses(() => ratioOf({ maxRetries: 3 }), TypeError, "budget.maxRetries is no option");
  refuses(() => callsOf({ slow: { afterMs: 1, rate: 1 } }), TypeError, "circuitBreaker.window.slow is no option");
  refuses(
    () => breakerOf({ recoveryTimeoutMs: 10, maxRecoveryTimeoutMs: 9 }),
    RangeError,
    "circuitBreaker.maxRecoveryTimeoutMs: 9 is out of range: a number of at least 10",
  );
  refuses(
    () => breakerOf({ failureThreshold: 200, classThresholds: { AUTH: 200 } }),
    RangeError,
    "circuitBreaker.classThresholds: an object is out of range: all thresholds together at most 255",
  );
  refuses(
    () => policyOf({ perClassMaxAttempts: { AUTH: 0 }, retriable: { AUTH: 1 } }),
    TypeError,
    "retry.retriable.AUTH: 1 is not used with `perClassMaxAttempts` of the class: give one of them",
  );
  refuses(
    () => backoff.retryAfterOr(constant, { atLeastMs: 10, atMostMs: 9 }),
    RangeError,
    "backoff.retryAfterOr.atMostMs: 9 is out of range: a number of at least 10",
  );
  refuses(() => new Policy({ deadlineMs: 10 }), TypeError, "policy.deadlineMs is no option");
  refuses(
    () => adaptiveOf({ minMultiplier: 2, maxMultiplier: 1 }),
    RangeError,
    "backoff.adaptive.minMultiplier: 2 is out of range",
  );
  refuses(
    () => new Policy({ retry: {} }),
    TypeError,
    "retry.strategy: undefined is not a strategy, for all classes here or for some in `strategies`",
  );
});

test("delays of a constant, of a sequence and of a fallback are checked one by one", () => {
  for (const value of [NaN, -1, Infinity, LONGEST_MS * 2])
    refuses(() => backoff.constant(value), RangeError, `backoff.constant: ${value} is out of range`);
  for (const value of ["1", null, undefined, {}])
    refuses(() => backoff.constant(value), TypeError, "backoff.constant: ");
  refuses(() => backoff.sequence(7), TypeError, "backoff.sequence: 7 is not an array of milliseconds");
  refuses(() => backoff.sequence([1, -2]), RangeError, "backoff.sequence[1]: -2 is out of range");
  refuses(() => backoff.sequence([1, "2"]), TypeError, 'backoff.sequence[1]: "2" is not a number');
  refuses(
    () => backoff.sequence(Array(10_001).fill(1)),
    RangeError,
    "backoff.sequence.length: 10001 is out of range: at most 10000 delays",
  );
  waiting(backoff.sequence(Array(10_000).fill(0)));
  for (const name of ["retryAfterOr", "adaptive"])
    refuses(() => backoff[name](7), TypeError, `backoff.${name}: 7 is not a strategy`);
  refuses(
    () => policyOf({ strategy: (one, two) => one + two }),
    TypeError,
    "retry.strategy: function strategy is not a function of the context, or of (attempt, class, previousSleepMs)",
  );
});

test("options that are no object are refused", async () => {
  for (const value of [null, 7, "x", true, [], undefined]) {
    const needed = [
      () => new Retry(value),
      () => new RetryConfig(value),
      () => new RetryPolicy(value),
      () => new Budget(value),
    ];
    const defaulted = [
      () => new Policy(value),
      () => new CircuitBreaker(value),
      () => retry(value),
      () => backoff.fullJitter(value),
      () => backoff.exponential(value),
    ];
    for (const build of value === undefined ? needed : [...needed, ...defaulted]) {
      assert.instanceOf(thrown(build), TypeError);
      assert.match(
        thrown(build).message,
        /^(retry|policy|circuitBreaker|budget|backoff\.\w+): .* is not an object of options$/,
      );
    }
  }
  for (const value of [null, 7, "x"]) {
    assert.match(
      (await rejection(new Policy().call(() => 1, value))).message,
      /^options: .* is not an object of options$/,
    );
    assert.match(thrown(() => callSync(new Policy(), () => 1, value)).message, /^options: /);
  }
});

/** For each holder of options, the refusal of one that does not exist: it names all there are. */
const HOLDERS = {
  retry: () => policyOf({ wrong: 1 }),
  policy: () => alone({ wrong: 1 }),
  circuitBreaker: () => breakerOf({ wrong: 1 }),
  "circuitBreaker.window": () => callsOf({ wrong: 1 }),
  "circuitBreaker.window ": () => timeOf({ wrong: 1 }),
  "circuitBreaker.window.slow": () => slowOf({ wrong: 1 }),
  budget: () => rollingOf({ wrong: 1 }),
  "budget ": () => ratioOf({ wrong: 1 }),
  "backoff.exponential": () => backoff.exponential({ wrong: 1 }),
  "backoff.fullJitter": () => backoff.fullJitter({ wrong: 1 }),
  "backoff.retryAfterOr": () => backoff.retryAfterOr(constant, { wrong: 1 }),
  "backoff.adaptive": () => backoff.adaptive(constant, { wrong: 1 }),
};

test("an option that does not exist is refused by path, with those that do; each of those is tested here", async () => {
  const tested = new Set([...NUMBERS, ...FUNCTIONS, ...OTHERS].map(([path]) => path));
  for (const [holder, build] of Object.entries(HOLDERS)) {
    const path = holder.trim();
    const error = thrown(build);
    assert.instanceOf(error, TypeError);
    const [, names] = /^[\w.]+\.wrong is no option; there are (.*)$/.exec(error.message);
    assert.isTrue(error.message.startsWith(`${path}.wrong `), error.message);
    for (const name of names.split(", ")) {
      const known =
        [`${path}.${name}`, name].some((one) => tested.has(one)) ||
        [...tested].some((one) => one.startsWith(`${path}.${name}.`));
      assert.isTrue(known, `${path}.${name} is not tested`);
    }
  }
  const { message } = await rejection(new Policy().call(() => 1, { wrong: 1 }));
  const names = /^wrong is no option; there are (.*)$/.exec(message)[1].split(", ");
  for (const name of names) {
    const wrong = name === "operation" ? 7 : "wrong";
    assert.match(
      (await rejection(new Policy().call(() => 1, { [name]: wrong }))).message,
      new RegExp(`^${name}: .* is not `),
    );
  }
});

test("the error of a wrong option has its path, its value and what is expected as its own properties", () => {
  const wrong = { failureThreshold: 3 };
  for (const [build, kind, issue] of [
    [() => policyOf({ maxAttempts: "4" }), TypeError, ["retry.maxAttempts", "4", "a whole number of at least 1"]],
    [() => policyOf({ maxAttempts: 0 }), RangeError, ["retry.maxAttempts", 0, "a whole number of at least 1"]],
    [() => alone({ circuitBreaker: wrong }), TypeError, ["policy.circuitBreaker", wrong, "a CircuitBreaker, or"]],
    [() => breakerOf({ wrong: 1 }), TypeError, ["circuitBreaker.wrong", 1, "clock, window, "]],
    [() => breakerOf({ tripOn: ["AUTH", "x"] }), TypeError, ["circuitBreaker.tripOn[1]", "x", "AUTH, PERMISSION, "]],
    [() => policyOf({ strategies: { X: constant } }), TypeError, ["retry.strategies", "X", "AUTH, PERMISSION, "]],
    [
      () => callsOf({ rate: 7 }),
      RangeError,
      ["circuitBreaker.window.rate", 7, "a number of at least 0.001, at most 1"],
    ],
    [() => context(new Policy(), { sleep: 7 }), TypeError, ["context.sleep", 7, "a function"]],
  ]) {
    const error = thrown(build);
    const [path, value, expected] = issue;
    assert.equal(error.constructor, kind);
    assert.includeMembers(Object.keys(error), ["path", "value", "expected"]);
    assert.deepEqual([error.path, error.value], [path, value]);
    assert.isTrue(error.expected.startsWith(expected), error.expected);
    assert.isTrue(error.message.startsWith(path) && error.message.endsWith(error.expected), error.message);
  }
});

test("an option of a call that is named like a method of every object is refused as any that does not exist", async () => {
  for (const name of ["constructor", "toString"])
    assert.match((await rejection(new Policy().call(() => 1, { [name]: 1 }))).message, /^\w+ is no option; there are /);
});
