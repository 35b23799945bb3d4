// Wrong use that is no wrong option.

import { Budget, backoff, CircuitBreaker, Policy, Retry, restore, snapshot } from "redress";
import { retry as decorator } from "redress/decorators";
import {
  DeterministicStrategy,
  FakeCircuitBreaker,
  FakePolicy,
  instantRetries,
  MockClock,
  noRetries,
  scriptedRandom,
} from "redress/testing";
import { assert, describe, test, thrown } from "./harness.js";

describe("bad input");

const strategy = backoff.constant(1);

test("what is called must be a function", async () => {
  const policy = new Policy({ retry: { strategy } });
  for (const operation of [undefined, null, "fn", {}, Promise.resolve(1)]) {
    const error = await policy.call(operation).catch((why) => why);
    assert.instanceOf(error, TypeError);
  }
});

test("unknown options of a call are refused by name", async () => {
  const policy = new Policy({ retry: { strategy } });
  const error = await policy.call(() => 1, { singal: null }).catch((why) => why);
  assert.instanceOf(error, TypeError);
  assert.include(error.message, "singal");
});

test("a Retry may be shared by policies, and a wrong one is named", () => {
  const shared = new Retry({ strategy });
  new Policy({ retry: shared });
  new Policy({ retry: shared });
  assert.include(thrown(() => new Policy({ retry: 7 })).message, "retry");
});

test("a permit goes back once, to its own breaker, and what is none is refused", () => {
  const [one, other] = [new CircuitBreaker({ failureThreshold: 1 }), new CircuitBreaker()];
  const { permit } = one.admit();
  for (const [breaker, wrong] of [
    [other, permit],
    [one, 8],
    [one, permit + 8],
    [one, NaN],
    [one, "1"],
    [one, undefined],
  ]) {
    assert.match(thrown(() => breaker.settle(wrong, "success")).message, /^settle: .* is not a permit of this breaker/);
  }
  assert.match(thrown(() => one.settle(permit, "FAILED")).message, /"FAILED" is no class/);
  assert.equal(one.settle(permit, "TRANSIENT"), "open");
  assert.match(thrown(() => one.settle(permit, "TRANSIENT")).message, /settled before/);
});

test("the time since a snapshot is checked, and nothing is changed by a wrong one", () => {
  for (const state of [new CircuitBreaker(), new Budget({ maxRetries: 1 })]) {
    const saved = snapshot(state);
    for (const offMs of [NaN, -1, Infinity, "5", null]) {
      assert.match(thrown(() => restore(state, saved, { offMs })).message, /^restore\.offMs: /);
    }
    assert.match(thrown(() => restore(state, saved, { off: 5 })).message, /^restore\.off is no option/);
    assert.match(thrown(() => restore(state, saved, null)).message, /^restore: null/);
    restore(state, saved, { offMs: 0 });
    restore(state, saved);
  }
});

test("what helps tests is as strict", () => {
  for (const [build, words] of [
    [() => new MockClock("0"), /^MockClock\.startMs: "0"/],
    [() => new MockClock().advance(-1), /^MockClock\.advance: -1/],
    [() => scriptedRandom(0.5), /^scriptedRandom: 0.5/],
    [() => scriptedRandom([]), /^scriptedRandom\.length: 0 is out of range/],
    [() => scriptedRandom([0.5, 1]), /^scriptedRandom\[1\]: 1 is out of range/],
    [() => new DeterministicStrategy([1, "2"]), /\[1\]: "2"/],
    [() => new FakePolicy({}), /^FakePolicy: /],
    [() => new FakePolicy({ value: 1 }), /^FakePolicy\.value is no option/],
    [() => new FakePolicy(null), /^FakePolicy: null/],
    [() => new FakeCircuitBreaker(["maybe"]), /"maybe"/],
    [() => instantRetries(null), /^instantRetries: null/],
    [() => noRetries({ maxAttempt: 1 }), /^noRetries\.maxAttempt is no option/],
    [() => decorator(7), /^retry: 7/],
    [() => decorator(null), /^retry: null/],
  ]) {
    assert.match(thrown(build).message, words);
  }
});
