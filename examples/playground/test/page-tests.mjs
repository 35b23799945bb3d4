// What the page does, in any browser.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build, serve } from "../build.mjs";
import { choose, marks, open, retype, settled, text, totals, until } from "./page.mjs";

const REACHED = "attempts that reached the service";
const STORM = "A retry storm: one call each to a service that is down";
const hashOf = (state) => `#p=${Buffer.from(JSON.stringify(state)).toString("base64url")}`;

/** Builds and serves the page before the tests of a file; an object that has its `url` from then on. */
export function served() {
  const found = {};
  let out;
  let server;
  before(async () => {
    out = mkdtempSync(join(tmpdir(), "playground-"));
    server = await serve(await build(out, { contention: "test/contention.ts" }));
    found.url = server.url;
  });
  after(async () => {
    await server.close();
    rmSync(out, { recursive: true, force: true });
  });
  return found;
}

/** The state that a page without one in its address shows. */
async function stateOf(page, url) {
  await open(page, url);
  await until(page, `location.hash !== ""`);
  const hash = await page.evaluate(() => location.hash);
  return JSON.parse(Buffer.from(hash.slice(3), "base64url"));
}

/** The tests of the page in a browser. */
export function pageTests(browser, launch, server) {
  const shows = (name, run) => test(`${browser}: ${name}`, run);
  let page;
  let close;

  before(async () => {
    ({ page, close } = await launch());
  });
  after(() => close());

  const json = () => page.evaluate(() => JSON.parse(document.getElementById("json").value));

  shows("the first picture is there before the last, and everything comes", async (context) => {
    await open(page, server.url);
    await settled(page);
    const names = (await marks(page)).map(({ name }) => name);
    const order = ["ready", "findings", "delays", "progress", "done"].map((name) => names.indexOf(name));
    assert.ok(
      order.every((place) => place >= 0),
      `${names}`,
    );
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
      `${names}`,
    );
    const when = Object.fromEntries((await marks(page)).map(({ name, ms }) => [name, ms]));
    context.diagnostic(
      `${browser}: the first picture ${when.delays - when.ready} ms after the page was ready, all of it after ${when.done - when.ready} ms`,
    );
  });

  shows("a storm reaches the service 220 times with a budget of 10 %, and 800 times without", async () => {
    await open(page, server.url);
    await choose(page, "example", STORM);
    await settled(page);
    await until(page, `document.querySelector("#totals td")?.textContent === "200"`);
    const sums = await totals(page);
    assert.deepEqual(sums.calls, [200, 200]);
    assert.deepEqual(sums[REACHED], [220, 800]);
    assert.deepEqual(sums["calls that failed"], [200, 200]);
  });

  shows("what is typed while it computes is taken at once, and ends what was under way", async () => {
    const { scene } = await stateOf(page, server.url);
    // Retries without a delay, a limit and a latency: in the outage its calls never end.
    const settings = { retry: { maxAttempts: null, deadlineMs: null, strategy: { kind: "constant", delayMs: 0 } } };
    const endless = { settings, scene: { ...scene, outageLatencyMs: 0 }, shown: "SERVER_ERROR" };
    await open(page, server.url, hashOf(endless));
    await until(page, `performance.getEntriesByName("progress").length > 0`);
    await retype(page, "field:retry.maxUnknownAttempts", "3");
    assert.equal((await json()).retry.maxUnknownAttempts, 3);
    await until(page, `performance.getEntriesByName("progress").at(-1).detail.job === 2`);
    await retype(page, "field:retry.maxAttempts", "3");
    await settled(page);
    const ended = (await marks(page)).filter(({ name }) => name === "done").map(({ job }) => job);
    assert.deepEqual(ended, [3], "the jobs before never end, and are cancelled");
  });

  shows("form and JSON are in step, both ways", async () => {
    await open(page, server.url);
    const example = () => page.evaluate(() => document.getElementById("example").selectedOptions[0].text);
    assert.equal(await example(), "An outage of two minutes");
    await retype(page, "field:retry.deadlineMs", "12345");
    assert.equal(await example(), "your own");
    assert.equal((await json()).retry.deadlineMs, 12_345);
    await choose(page, "field:retry.strategy", "sequence");
    await retype(page, "field:retry.strategy.delaysMs", "10, 20");
    assert.deepEqual((await json()).retry.strategy, { kind: "sequence", delaysMs: [10, 20] });
    await choose(page, "field:budget", "a number in a time");
    assert.deepEqual((await json()).budget, { maxRetries: 100 });
    await choose(page, "field:circuitBreaker", "never");
    assert.equal((await json()).circuitBreaker, undefined);
    await page.evaluate(() => {
      const area = document.getElementById("json");
      area.value = '{ "maxAttempts": 9, "strategy": "linear" }';
      area.dispatchEvent(new Event("input"));
    });
    const values = await page.evaluate(() =>
      ["retry.maxAttempts", "retry.deadlineMs", "retry.strategy", "budget"].map(
        (name) => document.getElementById(`field:${name}`).value,
      ),
    );
    assert.deepEqual(values, ["9", "", "linear", "none"]);
  });

  shows("wrong JSON is said where it is wrong, and the last good picture stays", async () => {
    await open(page, server.url);
    await settled(page);
    const before = await totals(page);
    const jobs = (await marks(page)).at(-1).job;
    await retype(page, "json", '{\n  "retry": { "maxAttempts": 4,, }\n}');
    assert.match(await text(page, "mistake"), /^line 2, column 31: .*; the last good picture stays$/);
    assert.deepEqual(await totals(page), before);
    assert.equal((await marks(page)).findLast(({ name }) => name === "done").job, jobs);
    await retype(page, "json", '{ "retry": { "maxAttempts": 1, "strategy": "fullJitter" } }');
    assert.equal(await text(page, "mistake"), "");
    await settled(page);
    await until(page, `document.getElementById("delays-text").textContent.startsWith("No retry")`);
  });

  shows(
    "a finding is beside its field, with its place in the JSON; an error leaves the last good picture",
    async () => {
      await open(page, server.url);
      await settled(page);
      const before = await totals(page);
      await retype(page, "field:retry.maxAttempts", "0");
      await until(page, `document.getElementById("note:retry.maxAttempts").textContent !== ""`);
      assert.equal(
        await text(page, "note:retry.maxAttempts"),
        "error: retry.maxAttempts: 0 is out of range: a whole number of at least 1, at most 4294967295",
      );
      assert.match(await text(page, "findings"), /^line 3, column 20 error: retry.maxAttempts/);
      assert.match(await text(page, "status"), /error: the last good picture stays/);
      assert.deepEqual(await totals(page), before);
      await retype(page, "field:retry.maxAttempts", "4");
      await retype(page, "field:budget.initial", "5000");
      await until(page, `document.getElementById("note:budget.initial").textContent !== ""`);
      assert.match(await text(page, "note:budget.initial"), /^\w+: budget.initial.*limit/);
    },
  );

  shows("an address holds all of it, and a bad one is told and left", async () => {
    await open(page, server.url);
    await retype(page, "field:retry.maxAttempts", "7");
    await retype(page, "field:scene.outageMs", "30000");
    // The address follows once nothing more is typed.
    await until(
      page,
      `atob(location.hash.slice(3).replaceAll("-", "+").replaceAll("_", "/")).includes('"outageMs":30000')`,
    );
    const hash = await page.evaluate(() => location.hash);
    await open(page, server.url, hash);
    assert.equal((await json()).retry.maxAttempts, 7);
    assert.equal(await page.evaluate(() => document.getElementById("field:scene.outageMs").value), "30000");
    for (const [bad, why] of [
      [hash.slice(0, -9), "it is cut or changed"],
      ["#p=%%%", "it is cut or changed"],
      ["#x=1", "it does not begin with #p="],
      [hashOf({ settings: {}, scene: { callers: -1 } }), "scene.callers: -1 is no number from 1 to 1000"],
    ]) {
      await open(page, server.url, bad);
      assert.equal(
        await text(page, "problem"),
        `The address cannot be read: ${why}. The page shows its first example.`,
      );
      assert.equal((await json()).retry.maxAttempts, 4);
    }
  });

  shows("full jitter against none and equal: as in the article on exponential backoff and jitter", async (context) => {
    await open(page, server.url);
    const strategies = {
      none: { kind: "constant", delayMs: 0 },
      exponential: { kind: "exponential", baseMs: 10, maxMs: 2_000 },
      // Its first cap is twice its base.
      equal: { kind: "equalJitter", baseMs: 5, maxMs: 2_000 },
      full: { kind: "fullJitter", baseMs: 10, maxMs: 2_000 },
      decorrelated: { kind: "decorrelatedJitter", baseMs: 5, maxMs: 2_000 },
    };
    for (const clients of [10, 50, 100]) {
      const costs = await page.evaluate(
        async ([all, count]) => {
          const { contend } = await import("./contention.js");
          const entries = Object.entries(all).map(([name, strategy]) => [name, contend(strategy, count, 20)]);
          return Object.fromEntries(entries);
        },
        [strategies, clients],
      );
      const list = Object.entries(costs).map(([name, { calls, ms }]) => `${name} ${calls} in ${Math.round(ms)} ms`);
      context.diagnostic(`${browser}, calls of ${clients} clients: ${list.join(", ")}`);
      const { none, exponential, equal, full, decorrelated } = costs;
      const within = (value, least, most, what) =>
        assert.ok(
          value >= least && value <= most,
          `${clients} clients, ${what}: ${value} is not in ${least} to ${most}`,
        );
      // Without jitter the clients meet again and again, later and later.
      within(exponential.ms / full.ms, 5, 20, "time, exponential to full");
      within(equal.ms / full.ms, 1.15, 2, "time, equal to full");
      within(decorrelated.ms / full.ms, 0.6, 1.2, "time, decorrelated to full");
      within(equal.calls / full.calls, 0.85, 1.25, "calls, equal to full");
      within(decorrelated.calls / full.calls, 0.85, 1.5, "calls, decorrelated to full");
      within(exponential.calls / full.calls, clients === 100 ? 2 : 1.1, 3, "calls, exponential to full");
      within(none.calls / full.calls, clients === 100 ? 2.5 : 1.2, 4, "calls, none to full");
      // Each success is the failure of all others that have read.
      within(none.calls / clients ** 2, 0.2, 0.6, "calls without a delay, to the square of the clients");
    }
  });
}
