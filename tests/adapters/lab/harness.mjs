// Tests, one after the other, each with a limit; closes with `N passed, M failed`.

import assert from "node:assert/strict";

export { assert };

const LIMIT_MS = process.env.REDRESS_LONG ? 120_000 : 60_000;
const tests = [];

/** A test with a name: what it protects. What it starts it says to `cleanup`. */
export function test(name, body, limitMs = LIMIT_MS) {
  tests.push({ name, body, limitMs });
}

/** Runs the tests whose names have the text on the command line. */
export async function run() {
  const [filter = ""] = process.argv.slice(2);
  let [passed, failed] = [0, 0];
  for (const { name, body, limitMs } of tests.filter(({ name }) => name.includes(filter))) {
    const cleanups = [];
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it takes longer than ${limitMs} ms`)), limitMs);
    });
    try {
      await Promise.race([body({ cleanup: (one) => cleanups.push(one) }), late]);
      passed += 1;
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}\n${String(error?.stack ?? error).replace(/^/gm, "    ")}`);
    } finally {
      clearTimeout(timer);
      for (const cleanup of cleanups.reverse()) await cleanup();
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** What a promise rejects with; fails if it does not. */
export async function thrown(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
