// The flaky server does what its script says, on each runtime's own fetch.

import { assert, describe, rejection, test } from "./harness.js";

let count = 0;

/** A URL that no test has used yet, with the log of what arrives there, now or once `{ arrived: n }` have or `{ closed: n }` was. */
export function flaky({ base, runtime }, script) {
  const id = `${runtime}-${++count}-${Date.now()}`;
  return {
    url: `${base}/flaky/${id}?script=${encodeURIComponent(script)}`,
    log: async (until = {}) => (await fetch(`${base}/log/${id}?${new URLSearchParams(until)}`)).json(),
  };
}

describe("flaky server");

test("answers by its script, and its last step repeats", async (context) => {
  const { url, log } = flaky(context, "503,429;retry-after=7,200");
  const first = await fetch(url);
  assert.equal(first.status, 503);
  assert.equal(await first.text(), "answered 503");
  const second = await fetch(url);
  assert.equal(second.headers.get("retry-after"), "7");
  await second.text();
  for (const status of [200, 200]) {
    const response = await fetch(url);
    assert.equal(response.status, status);
    await response.text();
  }
  assert.deepEqual(
    (await log()).map((entry) => entry.step),
    ["503", "429;retry-after=7", "200", "200"],
  );
});

test("resets a connection, which is fetch's own rejection", async (context) => {
  const error = await rejection(fetch(flaky(context, "reset").url, { method: "POST" }));
  assert.instanceOf(error, Error);
});

test("hangs until the client gives up, and notices", async (context) => {
  const { url, log } = flaky(context, "hang");
  const controller = new AbortController();
  const pending = rejection(fetch(url, { signal: controller.signal }));
  assert.isFalse((await log({ arrived: 1 }))[0].closedEarly);
  controller.abort();
  assert.equal((await pending).name, "AbortError");
  assert.isTrue((await log({ closed: 1 }))[0].closedEarly);
});
