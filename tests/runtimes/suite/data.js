// Policies of settings that are read at run time: what they come to, what is refused, and what an update keeps.

import { CircuitOpenError, classify, KeyedPolicy, Policy, redressFetch } from "redress";
import { keyedPolicyFrom, policyFrom, SettingsError } from "redress/config";
import { lint, PolicyJson, show } from "redress/lint";
import { watch } from "redress/watch";
import { assert, describe, rejection, settle, test, thrown } from "./harness.js";
import { failure, STATUS, script, Time } from "./stage.js";

const now = { kind: "constant", delayMs: 0 };
/** One attempt, and a breaker that opens at the first failure. */
const quick = { retry: { strategy: now, maxAttempts: 1 }, circuitBreaker: { failureThreshold: 1 } };

const timed = ({ clock, random, sleeper }) => ({ clock, random, sleeper });

/** What a policy comes to, as the file of both languages has it. */
function normal(policy) {
  const { circuitBreaker, retry } = policy;
  const found = {};
  if (retry !== undefined) {
    const lines = show(policy).split("\n").slice(2, -1);
    // In what sleeps, Rust and JavaScript differ.
    found.policy = lines.filter((line) => !line.startsWith("  sleep:"));
  }
  if (circuitBreaker !== undefined) {
    found.opensAfter = 0;
    while (circuitBreaker.state === "closed") {
      circuitBreaker.settle(circuitBreaker.admit().permit, "TRANSIENT");
      found.opensAfter += 1;
    }
    found.recoveryMs = Math.ceil(circuitBreaker.toJSON().nextProbeMs);
  }
  const budget = retry?.config.budget;
  if (budget !== undefined) found.retries = budget.remaining();
  return found;
}

const byPath = (one, other) => (one.path < other.path ? -1 : 1);

/** What a program would be told of settings that are refused. */
function issuesOf(settings) {
  const error = thrown(() => policyFrom(settings));
  assert.instanceOf(error, SettingsError);
  return error.issues;
}

describe("data");

test("every file of settings.json comes to the policy, or to all the issues, that redress for Rust finds", async ({
  base,
}) => {
  const cases = await (await fetch(`${base}/vectors/settings.json`)).json();
  for (const { name, settings, issues, ...expected } of cases) {
    if (issues === undefined) {
      assert.deepEqual(normal(policyFrom(settings, { clock: () => 0 })), expected, name);
      assert.deepEqual(normal(keyedPolicyFrom(settings, { clock: () => 0 }).template).policy, expected.policy, name);
      const errors = lint(new PolicyJson(settings)).filter(({ severity }) => severity === "error");
      assert.deepEqual(errors, [], name);
    } else {
      // JSON leaves out what is undefined.
      assert.deepEqual(JSON.parse(JSON.stringify([...issuesOf(settings)].sort(byPath))), issues, name);
    }
  }
  assert.isAbove(cases.filter(({ issues }) => issues === undefined).length, 12);
  assert.isAbove(cases.filter(({ issues }) => issues !== undefined).length, 20);
});

test("what makes a classifier of others is none that settings may name", () => {
  const settings = { retry: { ...quick.retry, resultClassifier: "first" } };
  const error = thrown(() => policyFrom(settings, { classifiers: classify }));
  assert.deepEqual(
    error.issues.map(({ path }) => path),
    ["retry.resultClassifier"],
  );
  assert.notInclude(error.issues[0].expected, "first");
  policyFrom({ retry: { ...quick.retry, resultClassifier: "http" } }, { classifiers: classify });
});

test("what is refused is a TypeError with a line for each issue, and may be moved to its place in a larger file", () => {
  const error = thrown(() => policyFrom({ strategy: "fullJitter", maxAttempts: 0, deadlinMs: 5 }));
  assert.instanceOf(error, TypeError);
  assert.equal(error.name, "SettingsError");
  const lines = [
    "retry.deadlinMs is no option; the nearest is deadlineMs",
    "retry.maxAttempts: 0 is out of range: a whole number of at least 1, at most 4294967295",
  ];
  assert.sameMembers(error.message.split("\n"), lines);
  const moved = error.under("upstreams.prices").message.split("\n");
  assert.sameMembers(
    moved,
    lines.map((line) => `upstreams.prices.${line}`),
  );
});

test("text is no settings", () => {
  const [text] = issuesOf('{ "strategy": "fullJitter" }');
  assert.deepEqual([text.path, text.problem], ["policy", "is not"]);
});

test("what is wrong in code is an error of the program, and not of the settings", () => {
  for (const options of [{ maxAttempts: 3 }, { onEvent: "event" }, { classifiers: "http" }]) {
    const error = thrown(() => policyFrom({ strategy: now }, options));
    assert.instanceOf(error, TypeError);
    assert.notInstanceOf(error, SettingsError);
  }
});

test("a classifier is one of those that the program names", async () => {
  const settings = { retry: { strategy: now, maxAttempts: 2, resultClassifier: "http" } };
  const policy = policyFrom(settings, { classifiers: classify });
  assert.equal((await policy.execute(script({ status: 503 }, { status: 200 }))).attempts, 2);
  const [unknown] = issuesOf(settings);
  assert.deepEqual([unknown.path, unknown.value], ["retry.resultClassifier", "http"]);
  const two = { classifiers: { http: classify.http, ours: () => "PERMANENT" } };
  const [wrong] = thrown(() => policyFrom({ ...settings, classifier: "theirs" }, two)).issues;
  assert.deepEqual([wrong.path, wrong.expected], ["classifier", "one of http, ours"]);
  assert.equal(
    (await policyFrom({ strategy: now, classifier: "ours" }, two).execute(script(1, failure(503)))).ok,
    true,
  );
  const outcome = await policyFrom({ strategy: now, classifier: "ours" }, two).execute(script(failure(503)));
  assert.equal(outcome.lastClass, "PERMANENT");
});

test("an update holds for the calls that begin then; those that have begun go on with what they began with", async () => {
  const time = new Time();
  const policy = policyFrom({ strategy: now, maxAttempts: 3 }, timed(time));
  let fails;
  const first = policy.execute(({ attempt }) =>
    attempt === 1 ? new Promise((_, reject) => (fails = reject)) : Promise.reject(failure(503)),
  );
  await settle();
  policy.update({ strategy: { kind: "constant", delayMs: 70 }, maxAttempts: 2 });
  assert.deepEqual([policy.retry.config.maxAttempts, JSON.parse(JSON.stringify(policy)).maxAttempts], [2, 2]);
  const second = await policy.execute(script(failure(503)));
  assert.deepEqual([second.attempts, time.sleeps], [2, [70]]);
  fails(failure(503));
  assert.equal((await first).attempts, 3);
  assert.deepEqual(time.sleeps, [70]);
});

test("a call in flight settles with the breaker that admitted it", async () => {
  const policy = policyFrom(quick);
  const before = policy.circuitBreaker;
  let fails;
  const first = policy.execute(() => new Promise((_, reject) => (fails = reject)));
  await settle();
  policy.update({ ...quick, circuitBreaker: { failureThreshold: 2 } });
  fails(failure(503));
  await first;
  assert.deepEqual([before.state, policy.circuitBreaker.state], ["open", "closed"]);
});

test("a breaker and a budget keep their state while their settings are the same, and start anew if they change", async () => {
  const settings = { ...quick, retry: { strategy: now, maxAttempts: 2, budget: { maxRetries: 3 } } };
  const policy = policyFrom(settings);
  await policy.execute(script(failure(503)));
  const left = () => policy.retry.config.budget.remaining();
  assert.deepEqual([policy.circuitBreaker.state, left()], ["open", 2]);
  // The defaults, written out, are no change.
  policy.update({
    retry: { ...settings.retry, maxAttempts: 4, budget: { windowMs: 60_000, maxRetries: 3 } },
    circuitBreaker: { windowMs: 60_000, failureThreshold: 1 },
  });
  assert.deepEqual([policy.circuitBreaker.state, left()], ["open", 2]);
  assert.instanceOf(await rejection(policy.call(() => 1)), CircuitOpenError);
  policy.update({ ...settings, circuitBreaker: { failureThreshold: 2 } });
  assert.deepEqual([policy.circuitBreaker.state, left()], ["closed", 2]);
  policy.update({ ...settings, retry: { ...settings.retry, budget: { maxRetries: 4 } } });
  assert.deepEqual([policy.circuitBreaker.state, left()], ["closed", 4]);
  // What is left out is gone, and comes back new.
  policy.trip();
  policy.update({ retry: settings.retry });
  assert.equal(policy.circuitBreaker, undefined);
  assert.equal(await policy.call(() => 1), 1);
  policy.update(settings);
  assert.equal(policy.circuitBreaker.state, "closed");
});

test("a strategy that adapts keeps its memory while its settings are the same", async () => {
  const time = new Time();
  const adaptive = { kind: "adaptive", fallback: { kind: "constant", delayMs: 100 }, targetSuccess: 0.5 };
  const settings = { strategy: adaptive, maxAttempts: 2 };
  const policy = policyFrom(settings, timed(time));
  const delay = async () => {
    time.sleeps = [];
    await policy.execute(script(failure(503), 1));
    return time.sleeps[0];
  };
  for (let call = 0; call < 20; call += 1) await policy.call(() => 1);
  assert.equal(await delay(), 100);
  policy.update({ ...settings, maxAttempts: 3, strategy: { targetSuccess: 0.5, ...adaptive } });
  assert.equal(await delay(), 100);
  policy.update({ ...settings, strategy: { ...adaptive, targetSuccess: 0.6 } });
  // It knows of one failure, and nothing else.
  assert.equal(await delay(), 500);
});

test("an update that is refused changes nothing; several policies are updated all or none", async () => {
  const policies = [policyFrom(quick), keyedPolicyFrom(quick)];
  const [one, keyed] = policies;
  one.trip();
  const wrong = { retry: { strategy: now, maxAttempts: 0 }, circuitBreaker: { leaseMs: 0 }, extra: 1 };
  const issues = thrown(() => one.update(wrong)).issues.map(({ path }) => path);
  assert.sameMembers(issues, ["retry.maxAttempts", "circuitBreaker.leaseMs", "extra"]);
  assert.deepEqual([one.circuitBreaker.state, one.retry.config.maxAttempts], ["open", 1]);
  const update = (...settings) => {
    const prepared = policies.map((policy, nth) => policy.prepare(settings[nth]));
    for (const one of prepared) one.apply();
  };
  const after = { ...quick, retry: { strategy: now, maxAttempts: 5 } };
  thrown(() => update(after, wrong));
  assert.deepEqual([one.retry.config.maxAttempts, keyed.template.retry.config.maxAttempts], [1, 1]);
  update(after, after);
  assert.deepEqual([one.retry.config.maxAttempts, keyed.template.retry.config.maxAttempts], [5, 5]);
  assert.equal(one.circuitBreaker.state, "open");
});

test("each key has a breaker and a budget of its own, which an update keeps if their settings are the same", async () => {
  const settings = {
    retry: { strategy: now, maxAttempts: 2 },
    circuitBreaker: { failureThreshold: 1 },
    budgetByKey: { maxRetries: 1 },
    capacity: 2,
  };
  const policy = keyedPolicyFrom(settings);
  assert.instanceOf(policy, KeyedPolicy);
  const attempts = async (key) => (await policy.at(key).execute(script(failure(409)))).attempts;
  const isOpen = async (key) => (await policy.at(key).execute(() => 1)).error instanceof CircuitOpenError;
  assert.deepEqual([await attempts("a"), await attempts("a"), await attempts("b")], [2, 1, 2]);
  await policy.at("a").execute(script(failure(503)));
  assert.deepEqual([await isOpen("a"), await isOpen("b")], [true, false]);
  policy.update({ ...settings, retry: { strategy: now, maxAttempts: 3 } });
  assert.deepEqual([await isOpen("a"), await isOpen("b"), await attempts("b")], [true, false, 1]);
  policy.update({ ...settings, budgetByKey: { maxRetries: 5 }, retry: { strategy: now, maxAttempts: 3 } });
  assert.deepEqual([await isOpen("a"), await attempts("b")], [true, 3]);
  policy.update({ ...settings, capacity: 3 });
  assert.isFalse(await isOpen("a"));
  // Without a breaker and a budget by key, all keys have the same.
  policy.update({ retry: { strategy: now, maxAttempts: 3, budget: { maxRetries: 2 } } });
  assert.deepEqual([await attempts("a"), await attempts("b")], [3, 1]);
});

test("redressFetch asks a policy by key for the host, and has the settings of now", async ({ base }) => {
  const settings = { retry: { strategy: now, maxAttempts: 1 }, circuitBreaker: { failureThreshold: 1 } };
  const policy = keyedPolicyFrom(settings);
  const get = redressFetch(policy);
  assert.equal((await get(`${base}/flaky/data-${Math.random()}?script=503,200`)).status, 503);
  assert.instanceOf(await rejection(get(`${base}/host.json`)), CircuitOpenError);
  policy.update({ retry: { strategy: now, maxAttempts: 2 } });
  assert.equal((await get(`${base}/flaky/data-${Math.random()}?script=503,200`)).status, 200);
});

test("hooks and watchers are said in code, and see the calls before and after an update", async () => {
  const events = [];
  const watched = [];
  const seen = { watch: (status) => (watched.push(status), () => ({ onEvent: ({ event }) => watched.push(event) })) };
  for (const make of [policyFrom, keyedPolicyFrom]) {
    events.length = watched.length = 0;
    const policy = watch(make(quick, { onEvent: ({ event }) => events.push(event) }), [seen]);
    const runner = () => (policy instanceof Policy ? policy : policy.at("a"));
    await runner().execute(() => 1);
    policy.update({ ...quick, circuitBreaker: { failureThreshold: 2 } });
    await runner().execute(script(failure(503)));
    await runner().execute(script(failure(503)));
    const expected = ["success", "max_attempts_exceeded", "max_attempts_exceeded", "circuit_opened"];
    assert.sameMembers(events, expected);
    const [status, ...told] = watched;
    assert.sameMembers(told, expected);
    assert.deepEqual(
      status.circuits().map(({ state }) => state),
      ["open"],
    );
  }
});

test("drain ends the delays of calls that began before an update, too, and dispose refuses every call", async () => {
  const settings = { strategy: { kind: "constant", delayMs: 3_600_000 }, deadlineMs: null };
  for (const make of [policyFrom, keyedPolicyFrom]) {
    const policy = make(settings);
    const runner = () => (policy instanceof Policy ? policy : policy.at("a"));
    const before = runner().execute(script(failure(STATUS.TRANSIENT)));
    policy.update({ ...settings, maxAttempts: 3 });
    const after = runner().execute(script(failure(STATUS.TRANSIENT)));
    await settle();
    await policy.drain();
    assert.deepEqual([(await before).stopReason, (await after).stopReason], ["ABORTED", "ABORTED"]);
    policy.dispose();
    assert.match((await rejection(runner().call(() => 1))).message, /disposed/);
    assert.match(thrown(() => policy.update(settings)).message, /disposed/);
  }
});
