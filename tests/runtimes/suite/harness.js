// The smallest test runner that works on every runtime: no import of a runtime's own.

import { assert } from "chai";

export { assert };

const LIMIT_MS = 30_000;
const tests = [];
let group = "";

/** Names the behaviours that follow. */
export function describe(name) {
  group = name;
}

/** Registers a behaviour. Its body gets `{ base, runtime, env }` of the runtime it runs on. */
export function test(name, body) {
  tests.push({ name: `${group}: ${name}`, body });
}

/** The error that a promise is rejected with; it is a failure if it is not rejected. */
export async function rejection(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, but got ${String(value)}`);
}

/** The error that a function throws; it is a failure if it does not. */
export function thrown(body) {
  let value;
  try {
    value = body();
  } catch (error) {
    return error;
  }
  throw new Error(`expected an error, but got ${String(value)}`);
}

/** Lets everything that is already due run: promise jobs, and one turn of the event loop. */
export async function settle() {
  await new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Runs every behaviour whose name contains `filter`, one after the other. */
export async function runSuite({ filter = "", ...context }) {
  const results = [];
  for (const { name, body } of tests) {
    if (!name.includes(filter)) continue;
    const started = Date.now();
    let error = null;
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`took over ${LIMIT_MS} ms`)), LIMIT_MS);
    });
    try {
      await Promise.race([body(context), late]);
    } catch (failure) {
      error = String(failure?.stack ?? failure);
      if (!error.includes(failure?.message)) error = `${failure?.message}\n${error}`;
    }
    clearTimeout(timer);
    results.push({ name, error, ms: Date.now() - started });
  }
  return results;
}
