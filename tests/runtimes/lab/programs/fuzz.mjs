// Every function of the modules that share a memory, called with hostile numbers. Beside it a witness takes the steps that
// its twin takes in a module of its own, which is left alone: their answers are the same to the last bit.

import assert from "node:assert/strict";
import { deciding } from "../node_modules/redress/dist/esm/wasm/callbacks.js";
import * as adaptive from "../node_modules/redress/dist/esm/wasm/modules/adaptive.js";
import * as core from "../node_modules/redress/dist/esm/wasm/modules/core.js";
import * as twin from "../node_modules/redress/dist/esm/wasm/modules/core.js?twin";
import * as extras from "../node_modules/redress/dist/esm/wasm/modules/extras.js";
import * as guards from "../node_modules/redress/dist/esm/wasm/modules/guards.js";
import * as twinGuards from "../node_modules/redress/dist/esm/wasm/modules/guards.js?twin";
import { FUNCTIONS, LAYOUT, PAGES } from "../node_modules/redress/dist/esm/wasm/modules/layout.js";

const ROUNDS = 60_000;

let state = 0x2545f491;
/** A number below `below`, of a sequence that is the same in each run. */
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}
const pick = (list) => list[random(list.length)];

/** Starts a module, in the memory of one that was started before if there is one; `imports` has its own unless it is given. */
function start(module, pages, shared, imports = module.imports) {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: pages });
  const imported = shared ?? {
    memory,
    __indirect_function_table: new WebAssembly.Table({ initial: FUNCTIONS, element: "anyfunc" }),
  };
  const exports = { ...new WebAssembly.Instance(module.compiled(), imports(imported)).exports };
  module.__wbg_set_wasm(exports);
  return { __stack_pointer: exports.__stack_pointer, ...imported };
}

const shared = start(core, PAGES + 12);
start(guards, PAGES, shared);
start(adaptive, PAGES, shared);
start(extras, PAGES, shared);
const apart = start(twin, PAGES + 12);

/** What the guards of the twin import: the functions of that core, by the names that wasm-bindgen has made of theirs. */
function ofTwin(env) {
  const { "./guards_bg.js": own, ...rest } = guards.imports(env);
  const theirs = { memory_reserve: twin.memory_reserve, memory_release: twin.memory_release };
  const renamed = Object.keys(own).map((name) => {
    const [, known] = /^__wbg_(memory_\w+)$/.exec(name);
    return [name, theirs[known]];
  });
  return { ...rest, "./guards_bg.js": Object.fromEntries(renamed), "./core.js": { table: twin.table } };
}
start(twinGuards, PAGES, apart, ofTwin);

/** A policy, a breaker, a budget and a call that goes on for ever, and what they answer step by step. */
class Witness {
  slots = [];

  constructor(module, { memory }) {
    this.module = module;
    this.table = () => new Float64Array(memory.buffer, module.table(), 32);
    const { strategy_new, policy_new, breaker_new, budget_rolling, call_begin } = module;
    this.#set("Strategy", { first: 10_000, second: 5e6, third: 2000 });
    const strategy = strategy_new(2);
    const deadline = Infinity;
    this.#set("Policy", { maxAttempts: 4e9, deadline, attemptTimeout: 7000, maxUnknown: 65_535, strategy });
    this.policy = policy_new();
    const open = { recovery: 100_000, longestRecovery: 800_000, lease: 1e6, permits: 2, successes: 2 };
    this.#set("Failures", { threshold: 5, window: 6e7, tripOn: 255, halfOpenOn: 255, ...open });
    this.breaker = breaker_new();
    this.#set("Rolling", { maxRetries: 40, window: 3e6 });
    this.budget = budget_rolling();
    this.call = call_begin(this.policy, 0, 0, 0, NaN, NaN) & ~7;
    this.slots = [strategy, this.policy, this.breaker, this.budget, this.call];
    assert.ok(this.slots.every((slot) => slot > 0));
  }

  /** Settings of a kind by their names; 0 for what is not named. */
  #set(kind, settings) {
    const to = this.table().fill(0);
    for (const [name, value] of Object.entries(settings)) to[LAYOUT[kind][name]] = value;
  }

  /** Nothing here takes memory, so that it goes on when there is none. */
  step(n) {
    const {
      call_fail,
      call_wake,
      call_start,
      call_timeout,
      budget_consume,
      budget_remaining,
      breaker_switch,
      breaker_state,
      breaker_check,
    } = this.module;
    const now = n * 37;
    return [
      call_fail(this.call, this.policy, 0, this.budget, now, 3 + (n % 5), n % 3, n % 7 === 0 ? 50 : NaN, NaN, NaN),
      call_wake(this.call, now + 1),
      call_start(this.call, this.policy, 0),
      call_timeout(this.call),
      budget_consume(this.budget, n % 3, now),
      budget_remaining(this.budget, now),
      breaker_switch(this.breaker, n % 3, now),
      breaker_state(this.breaker),
      breaker_check(this.breaker, now + 60),
    ];
  }
}

const witness = new Witness({ ...core, ...guards }, shared);
const other = new Witness({ ...twin, ...twinGuards }, apart);
const spared = new Set(witness.slots);

/** Slots of one's own: some live, some given back. */
const own = { memory_reserve: [], strategy_new: [], policy_new: [], breaker: [], budget: [], call: [], permit: [] };
const MADE = {
  adaptive_new: "strategy_new",
  breaker_new: "breaker",
  window_new: "breaker",
  budget_rolling: "budget",
  budget_ratio: "budget",
  call_begin: "call",
  breaker_admit: "permit",
};
const NUMBERS = [
  0,
  -0,
  1,
  2,
  3,
  7,
  8,
  15,
  16,
  17,
  31,
  32,
  255,
  256,
  1000,
  4096,
  65_535,
  65_536,
  1 << 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 17,
  2 ** 32 - 1,
  2 ** 32,
  -1,
  -8,
  -(2 ** 31),
  0.5,
  1e9,
  2 ** 53,
  1e300,
  -1e300,
  5e-324,
  NaN,
  Infinity,
  -Infinity,
];

function hostile() {
  for (;;) {
    const number = pick([
      () => pick(NUMBERS),
      () => pick(NUMBERS),
      () => random(2 ** 32),
      () => random(shared.memory.buffer.byteLength / 8) * 8,
      () => pick(witness.slots) + pick([-16, -8, 8, 16, 24]),
      () => pick(Object.values(own).flat()) ?? 0,
      () => pick(Object.values(own).flat()) ?? 0,
    ])();
    if (!spared.has(number >>> 0)) return number;
  }
}

/** What an argument is by its name, half of the time; for what else the functions take, any number. */
const LIKELY = {
  policy: () => pick(own.policy_new),
  breaker: () => pick([0, ...own.breaker]),
  budget: () => pick([0, ...own.budget]),
  permit: () => pick(own.permit),
  call: () => pick(own.call),
  link: () => pick([...own.strategy_new, ...own.memory_reserve]),
  out: () => pick(own.memory_reserve),
  from: () => pick(own.memory_reserve),
  kind: () => random(12),
  length: () => random(2000),
};

function argument(name, owner) {
  if (random(2) === 0) return hostile();
  const likely = LIKELY[name] ?? LIKELY[owner];
  return (name === "slot" || LIKELY[name] ? likely?.() : undefined) ?? hostile();
}

/** What refers to a strategy or a policy is not known to the core: the package gives them back when nothing does. */
const kept = () => new Set([...own.strategy_new, ...own.policy_new]);

const functions = Object.entries({ ...core, ...guards, ...adaptive, ...extras }).filter(
  ([name, one]) => typeof one === "function" && !/^(__|compiled$|imports$|rewind$|table$)/.test(name),
);
assert.ok(functions.length > 30, functions.map(([name]) => name).join());
const words = new Map(
  functions.map(([name, one]) => [
    name,
    /\(([^)]*)\)/
      .exec(String(one))[1]
      .split(",")
      .map((word) => word.trim())
      .filter(Boolean),
  ]),
);
const counts = { answered: 0, trapped: 0, refused: 0 };

function attack([name, one]) {
  const [owner] = name.split("_");
  const given = words
    .get(name)
    .map((word) => argument(word, owner === "snapshot" ? pick(["breaker", "budget"]) : owner));
  if (name === "memory_release" && kept().has(given[0] >>> 0)) return;
  if (random(3) === 0) witness.table()[random(32)] = hostile();
  try {
    const answer = one(...given);
    counts.answered += 1;
    const list = own[MADE[name] ?? name];
    if (list === undefined) return;
    const slot = answer & ~7;
    if (slot === 0) counts.refused += 1;
    else list.push(slot >>> 0);
    // The oldest are forgotten, not given back: memory fills.
    if (list.length > 40) list.shift();
  } catch (error) {
    assert.ok(error instanceof WebAssembly.RuntimeError, `${name}(${given}): ${error}`);
    counts.trapped += 1;
    core.rewind();
  }
}

const calm = { draw: () => 1234, delay: () => 5 };
const wild = {
  depth: 0,
  draw: () => wild.again(pick([-1, 0, 2 ** 32 - 1, 2 ** 32, NaN, 1e300])),
  delay: () => wild.again(pick([NaN, 0, -1, 1e300, Infinity, 3])),
  /** Any function may be called while one runs; but no trap passes through it, as the package lets none. */
  again(answer) {
    if (wild.depth < 2) {
      wild.depth += 1;
      try {
        const [name, one] = pick(functions);
        if (name !== "memory_release" || random(2) === 0)
          one(
            ...words
              .get(name)
              .map(() => hostile())
              .map((number) => (kept().has(number >>> 0) ? 0 : number)),
          );
      } catch (error) {
        assert.ok(error instanceof WebAssembly.RuntimeError, String(error));
      }
      wild.depth -= 1;
    }
    return answer;
  },
};

for (let n = 0; n < ROUNDS; n += 1) {
  deciding.call = wild;
  attack(pick(functions));
  if (n % 10 !== 0) continue;
  deciding.call = calm;
  core.rewind();
  assert.deepEqual(witness.step(n), other.step(n), `step ${n}: ${JSON.stringify(counts)}`);
  // A memory that is full for half of the time.
  if (n % 5000 === 0) {
    for (const slots of [own.memory_reserve, own.call, own.permit, own.breaker, own.budget]) {
      for (const slot of slots) core.memory_release(slot);
      slots.length = 0;
    }
  }
}
for (const [what, count] of Object.entries(counts)) assert.ok(count > 1000, `${what}: ${count}`);
assert.equal(shared.memory.buffer.byteLength, (PAGES + 12) * 65_536);
console.log(process.env.VERBOSE ? JSON.stringify(counts) : "right");
