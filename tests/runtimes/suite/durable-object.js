// The Durable Object itself, with a storage and a clock in the hand: what its requests may do to it.

import { RedressState } from "redress/durable";
import { assert, describe, test } from "./harness.js";

describe("durable object");

const SETTINGS = { failureThreshold: 1, recoveryTimeoutMs: 1_000, leaseMs: 10_000, successesToClose: 2 };

/** An object on a clock of its own, and what asks it. */
function object() {
  const stored = new Map();
  const storage = { get: async (key) => stored.get(key), put: async (key, value) => stored.set(key, value) };
  class Clocked extends RedressState {
    nowMs = 1_000_000;
    now() {
      return this.nowMs;
    }
  }
  let state = new Clocked({ storage });
  const ask = async (question) => {
    const body = JSON.stringify({ settings: SETTINGS, ...question });
    const response = await state.fetch(new Request("https://redress.test/", { method: "POST", body }));
    return { status: response.status, ...(await response.json()) };
  };
  return {
    ask,
    moves: (ms) => (state.nowMs += ms),
    starts: () => {
      const { nowMs } = state;
      state = new Clocked({ storage });
      state.nowMs = nowMs;
    },
    async fails(id) {
      await ask({ ask: "admit", id });
      return ask({ ask: "settle", id, result: "TRANSIENT" });
    },
  };
}

test("a clock that steps back while a probe is out loses neither the probe nor the time that has passed", async () => {
  const { ask, moves, fails } = object();
  assert.equal((await fails("first")).state, "open");
  moves(1_000);
  const probe = await ask({ ask: "admit", id: "probe" });
  assert.deepEqual([probe.ok, probe.halfOpened], [true, true]);
  moves(-500_000);
  const other = await ask({ ask: "admit", id: "other" });
  assert.deepEqual([other.ok, other.state], [false, "half_open"], "its place is taken as before");
  assert.deepEqual(await ask({ ask: "settle", id: "probe", result: "success" }), { status: 200, state: null });
  assert.equal((await ask({ ask: "admit", id: "second" })).ok, true, "the place is free again");
  assert.equal((await ask({ ask: "settle", id: "second", result: "success" })).state, "closed");
});

test("after a clock has stepped back, recovery and leases take as long as they are", async () => {
  const { ask, moves, fails } = object();
  await fails("first");
  moves(-500_000);
  assert.equal((await ask({ ask: "admit", id: "at once" })).ok, false);
  moves(600);
  assert.equal((await ask({ ask: "admit", id: "early" })).ok, false);
  moves(400);
  assert.equal((await ask({ ask: "admit", id: "probe" })).ok, true, "its recovery time is over");
  moves(-500_000);
  assert.equal((await ask({ ask: "admit", id: "beside" })).ok, false);
  moves(9_000);
  assert.equal((await ask({ ask: "admit", id: "behind" })).ok, false, "the lease runs");
  moves(1_001);
  assert.equal((await ask({ ask: "admit", id: "next" })).ok, true, "the lease is over");
});

test("an object that starts after its clock has stepped back begins where time stood", async () => {
  const { ask, moves, fails, starts } = object();
  await fails("first");
  moves(-500_000);
  starts();
  assert.equal((await ask({ ask: "admit", id: "early" })).ok, false);
  moves(1_000);
  assert.equal((await ask({ ask: "admit", id: "probe" })).ok, true);
});

for (const result of ["SUCCESS", "", null, 5, undefined, "constructor"]) {
  test(`a settle whose result is ${JSON.stringify(result)} is refused, and frees no permit`, async () => {
    const { ask, moves, fails } = object();
    await fails("first");
    moves(1_000);
    assert.equal((await ask({ ask: "admit", id: "probe" })).ok, true);
    const refused = await ask({ ask: "settle", id: "probe", result });
    assert.equal(refused.status, 400);
    assert.match(refused.error, /^result: .* is not success, cancelled, AUTH, .*, UNKNOWN$/);
    assert.equal((await ask({ ask: "admit", id: "other" })).ok, false, "its place is taken as before");
    assert.equal((await ask({ ask: "settle", id: "probe", result: "TRANSIENT" })).state, "open", "and it still counts");
  });
}
