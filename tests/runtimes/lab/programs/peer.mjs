// Runs a snippet of another library, or ours beside it, against an upstream that follows a script, on time that goes to the
// next timer as soon as nothing else is left to do: `node peer.mjs SNIPPET SCENARIO`. Prints what came of it as JSON.

import { pathToFileURL } from "node:url";

const [, , snippet, scenario] = process.argv;
const { script, calls = 1, byHand, closes } = JSON.parse(scenario);

/** Virtual time: timers by when they are due. */
const { setImmediate } = globalThis;
const timers = new Set();
let now = 0;
globalThis.performance.now = () => now;
Date.now = () => 1_700_000_000_000 + now;
globalThis.setTimeout = (run, ms = 0, ...values) => {
  const timer = {
    at: now + Math.max(Number(ms) || 0, 1),
    run: () => run(...values),
    ref: () => timer,
    unref: () => timer,
  };
  timers.add(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => void timers.delete(timer);
// Those that windows are turned by, which nothing here waits for.
globalThis.setInterval = () => ({ ref: () => undefined, unref: () => undefined });
globalThis.clearInterval = () => undefined;

async function settled(promise) {
  let over = false;
  promise.then(
    () => (over = true),
    () => (over = true),
  );
  for (;;) {
    for (let turn = 0; turn < 20 && !over; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (over) return;
    const next = [...timers].sort((one, other) => one.at - other.at)[0];
    if (next === undefined) throw new Error("nothing left to wait for");
    timers.delete(next);
    now = Math.max(now, next.at);
    next.run();
  }
}

const requests = [];
let bodies = 0;

/** The answer to the next request: a status, with `;retry-after=S` perhaps, "refused", "error", "bug" or "hang". */
globalThis.fetch = async (input, init) => {
  const step = script[Math.min(requests.length, script.length - 1)];
  requests.push(now);
  if (step === "refused") throw Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } });
  if (step === "error") throw new Error("down");
  if (step === "bug") throw new TypeError("x is not a function");
  if (step === "hang") {
    const signal = init?.signal ?? input.signal;
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  }
  const [status, hint] = step.split(";retry-after=");
  const headers = { "content-type": "application/json", ...(hint && { "retry-after": hint }) };
  return new Response(JSON.stringify({ read: (bodies += 1) }), { status: Number(status), headers });
};
const { default: axios } = await import("axios").catch(() => ({}));
if (axios) axios.defaults.adapter = "fetch";

const printed = [];
const { log } = console;
console.log = (...values) => printed.push(values.join(" "));
const { run, made } = await import(pathToFileURL(snippet).href);
if (byHand) {
  if (made.fire) made.open();
  else made.trip();
}
const answers = [];
for (let call = 0; call < calls; call += 1) {
  if (closes === call) {
    if (made.fire) made.close();
    else made.reset();
  }
  const before = requests.length;
  const began = now;
  const running = run().then(
    (value) => ({ value }),
    ({ name, message, code }) => ({ thrown: message, name, code }),
  );
  await settled(running);
  const waits = requests.slice(before).map((at, n, all) => at - (all[n - 1] ?? began));
  answers.push({ waits, took: now - began, ...(await running) });
}
log(JSON.stringify({ answers, printed }));
process.exit();
