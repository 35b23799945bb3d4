// `npx redress doctor` as a user runs it, in the consumer's project.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandOf, run } from "./runtimes/process.mjs";

const FILES = {
  "app.mjs": `
    import { Budget, CircuitBreaker, Policy, Retry, RetryConfig, RetryPolicy, backoff } from "redress";
    const strategy = backoff.decorrelatedJitter({ baseMs: 250, maxMs: 5_000 });
    const settings = {
      strategy,
      strategies: { TRANSIENT: backoff.equalJitter({ baseMs: 100, maxMs: 1_000 }) },
      perClassMaxAttempts: { RATE_LIMIT: 0 },
      deadlineMs: 30_000,
    };
    export const config = new RetryConfig(settings);
    export const retry = new Retry(settings);
    export const policy = new Policy({ retry: settings, circuitBreaker: new CircuitBreaker() });
    export const short = new RetryPolicy(settings);
    export const never = new RetryConfig({ strategy, maxAttempts: 3, maxUnknownAttempts: 9 });
    export const hasty = new RetryConfig({ strategy, deadlineMs: 0 });
    export const seven = 7;
    export default 7;`,
  "app.cjs": `
    const { RetryConfig, backoff } = require("redress");
    exports.config = new RetryConfig({ strategy: backoff.constant(100) });`,
  "broken.mjs": `throw new Error("the module's own fault");`,
  "good.json": JSON.stringify({ maxAttempts: 4, strategy: { kind: "constant", delayMs: 100 } }),
  "bad.json": JSON.stringify({ maxAttempts: 0, deadlineMs: -1, perClassMaxAttempts: { RATELIMIT: 1 } }),
};

/** Each line: the arguments, the exit code, and what the output must say. */
const TABLE = [
  [["./app.mjs:policy"], 0, [/^OK: '\.\/app\.mjs:policy' passed config checks\.$/m]],
  [["./app.mjs:config"], 0, [/^OK: '\.\/app\.mjs:config' passed config checks\.$/m]],
  [["./app.mjs:retry"], 0, [/^OK: /m]],
  [["./app.mjs:short"], 0, [/^OK: /m]],
  [["./app.mjs"], 0, [/^OK: '\.\/app\.mjs(:config)?' passed config checks\.$/m]],
  [["./app.cjs"], 0, [/^OK: /m]],
  [
    ["./app.mjs:policy", "--show"],
    0,
    [
      /^Config snapshot:$/m,
      /^ {2}source: \.\/app\.mjs:policy$/m,
      /^ {2}deadline_s: 30$/m,
      /^ {2}max_attempts: 6$/m,
      /^ {2}default_strategy: .*decorrelated/m,
      /^ {2}class_strategies:$/m,
      /^ {4}TRANSIENT: .*equal/m,
      /^ {2}per_class_max_attempts:$/m,
      /^ {4}RATE_LIMIT: 0$/m,
      /^OK: /m,
    ],
  ],
  [["./app.mjs:never"], 1, [/max_?unknown_?attempts/i]],
  [["./app.mjs:hasty"], 1, [/deadline/i]],
  [["./app.mjs:absent"], 1, [/absent/, /app\.mjs/]],
  [["./app.mjs:seven"], 1, [/seven/, /7|number/]],
  [["./absent.mjs:config"], 1, [/absent\.mjs/]],
  [["./broken.mjs:config"], 1, [/the module's own fault/]],
  [["./good.json"], 0, [/^OK: /m]],
  [["./bad.json"], 1, [/max_?attempts/i, /deadline/i, /RATELIMIT/]],
];

/** The doctor's answers to good and bad, and to what is none of both. */
export async function checkDoctor({ project }) {
  const folder = join(project, "doctor");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const results = [];
  const doctor = (words, node) => {
    const command = [...commandOf(node), join(project, "node_modules/redress", bin(project)), "doctor", ...words];
    return run(command, { cwd: folder });
  };
  for (const [words, code, patterns] of TABLE) {
    const name = `doctor ${words.join(" ")} exits with ${code} and says why`;
    results.push(
      await result(name, async () => {
        const answer = await doctor(words, "node-20");
        const text = answer.stdout + answer.stderr;
        assert.equal(answer.code, code, text);
        for (const pattern of patterns) assert.match(text, pattern);
        assert.doesNotMatch(text, /\n\s+at .*node_modules.redress/, "a stack trace is no finding");
      }),
    );
  }
  results.push(
    await result("doctor --json says the same for programs", async () => {
      const good = JSON.parse((await doctor(["./app.mjs:policy", "--json"], "node-24")).stdout);
      assert.equal(good.ok, true);
      const bad = await doctor(["./app.mjs:never", "--json"], "node-24");
      assert.equal(bad.code, 1);
      const parsed = JSON.parse(bad.stdout);
      assert.equal(parsed.ok, false);
      assert.ok(parsed.findings.length > 0);
    }),
    await result("npx redress doctor finds the command", async () => {
      const command = ["npx", "--no-install", "redress", "doctor", "./app.mjs:policy"];
      const { code, stdout, stderr } = await run(command, { cwd: folder });
      assert.equal(code, 0, stdout + stderr);
    }),
  );
  return results;
}

function bin(project) {
  const manifest = JSON.parse(readFileSync(join(project, "node_modules/redress/package.json"), "utf8"));
  return typeof manifest.bin === "string" ? manifest.bin : manifest.bin.redress;
}

async function result(name, body) {
  try {
    await body();
    return { name, error: null };
  } catch (error) {
    return { name, error: String(error.stack) };
  }
}
