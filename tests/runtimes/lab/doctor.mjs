// `npx redress doctor` as a user runs it, in the consumer's project; and that no application
// holds the linter unless it asks for it.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { build } from "esbuild";
import { commandOf, run } from "./runtimes/process.mjs";

const FILES = {
  "app.mjs": `
    import { Budget, CircuitBreaker, Keyed, KeyedPolicy, Policy, Retry, RetryConfig, RetryPolicy, backoff } from "redress";
    const strategy = backoff.decorrelatedJitter({ baseMs: 250, maxMs: 5_000 });
    const settings = {
      strategy,
      strategies: {
        TRANSIENT: backoff.equalJitter({ baseMs: 100, maxMs: 1_000 }),
        CONCURRENCY: function evenly() { return 20; },
      },
      perClassMaxAttempts: { RATE_LIMIT: 0 },
      deadlineMs: 30_000,
    };
    export const config = new RetryConfig(settings);
    export const retry = new Retry(settings);
    export const policy = new Policy({ retry: settings, circuitBreaker: new CircuitBreaker() });
    export const short = new RetryPolicy(settings);
    export const never = new RetryConfig({ strategy, maxAttempts: 3, maxUnknownAttempts: 9 });
    export const hasty = new RetryConfig({ strategy, deadlineMs: 0 });
    export const mean = new Policy({ retry: { strategy, budget: new Budget({ maxRetries: 0 }) } });
    export const raw = {
      maxAttempts: 0,
      deadlineMs: -1,
      maxUnknownAttempts: -2,
      perClassMaxAttempts: { RATELIMIT: 1, TRANSIENT: -1, AUTH: 0 },
    };
    export const once = new Policy({ circuitBreaker: new CircuitBreaker() });
    export const byHost = new KeyedPolicy({ retry: settings, circuitBreaker: new Keyed(CircuitBreaker, { capacity: 8 }) });
    export const breaker = new CircuitBreaker();
    export const seven = 7;`,
  "app.cjs": `
    const { RetryConfig, backoff } = require("redress");
    exports.config = new RetryConfig({ strategy: backoff.constant(100) });
    exports.raw = { strategy: backoff.retryAfterOr(backoff.constant(100)), maxAttempts: 0 };`,
  "app.ts": `
    import { RetryConfig, type RetryOptions, backoff } from "redress";
    const settings: RetryOptions = { strategy: backoff.constant(100) };
    export const config: RetryConfig = new RetryConfig(settings);`,
  "bare.mjs": `export const other = 1;`,
  "broken.mjs": `throw new Error("the module's own fault\\non two lines");`,
  "serving.mjs": `
    import { RetryConfig, backoff } from "redress";
    setInterval(() => {}, 1_000);
    export const config = new RetryConfig({ strategy: backoff.constant(100) });`,
  "exits.mjs": `process.exit(0);`,
  "exits-later.mjs": `setTimeout(() => process.exit(7), 5); await new Promise(() => {}); export const config = 1;`,
  "waits.mjs": `await new Promise(() => {}); export const config = 1;`,
  "long.json": JSON.stringify({ strategy: { kind: "sequence", delaysMs: Array(10_001).fill(1) } }),
  "longer.json": JSON.stringify({
    retry: {
      strategy: { kind: "retryAfterOr", fallback: { kind: "sequence", delaysMs: Array(10_001).fill(1) } },
      strategies: { TRANSIENT: { kind: "sequence", delaysMs: Array(10_001).fill(1) } },
    },
  }),
  "proto.json": `{ "strategy": "fullJitter", "__proto__": { "maxAttempts": 0 } }`,
  "protos.json": `{
    "retry": {
      "strategy": { "kind": "equalJitter", "__proto__": 1 },
      "strategies": { "__proto__": "fullJitter" },
      "perClassMaxAttempts": { "__proto__": 1 },
      "budget": { "ratio": 0.1, "__proto__": {} },
      "__proto__": { "maxAttempts": 0 }
    },
    "circuitBreaker": { "failureThreshold": 3, "__proto__": {} }
  }`,
  "kind.json": `{ "strategy": { "kind": "__proto__" } }`,
  "good.json": JSON.stringify({ maxAttempts: 4, strategy: { kind: "constant", delayMs: 100 } }),
  "bad.json": JSON.stringify({ maxAttempts: 0, deadlineMs: -1, perClassMaxAttempts: { RATELIMIT: 1 } }),
  "all.json": JSON.stringify({
    upstream: { retry: { strategy: "fullJitter" }, circuitBreaker: { failureThreshold: 3 } },
  }),
  "cut.json": "{",
};

const OK = (target) => `OK: '${target}' passed config checks.`;
const SNAPSHOT = (target) => [
  "Config snapshot:",
  `  source: ${target}`,
  "  deadline_s: 30",
  "  attempt_timeout_s: None",
  "  max_attempts: 6",
  "  max_unknown_attempts: 2",
  "  default_strategy: decorrelated_jitter(0.25s, 5s)",
  "  sleep: None",
  "  class_strategies:",
  "    CONCURRENCY: function evenly",
  "    TRANSIENT: equal_jitter(0.1s, 1s)",
  "  per_class_max_attempts:",
  "    RATE_LIMIT: 0",
];
const NO_CLASS =
  "is no class; there are AUTH, PERMISSION, PERMANENT, CONCURRENCY, RATE_LIMIT, SERVER_ERROR, TRANSIENT, UNKNOWN";

const PROTOS = [
  /circuitBreaker\.__proto__ is no option; there are /,
  /budget\.__proto__ is no option; there are /,
  /retry\.strategy\.__proto__ is no option; there are baseMs, maxMs$/,
  /retry\.__proto__ is no option; there are /,
  /retry\.perClassMaxAttempts: "__proto__" is no class; there are /,
  /retry\.strategies: "__proto__" is no class; there are /,
];

/** Each line: the arguments, the exit code, and all lines of the output; a pattern for one that varies. */
const TABLE = [
  [["./app.mjs:policy"], 0, [OK("./app.mjs:policy")]],
  [["./app.mjs:config"], 0, [OK("./app.mjs:config")]],
  [["./app.mjs:retry"], 0, [OK("./app.mjs:retry")]],
  [["./app.mjs:short"], 0, [OK("./app.mjs:short")]],
  [["./app.mjs:byHost"], 0, [OK("./app.mjs:byHost")]],
  [["./app.mjs"], 0, [OK("./app.mjs")]],
  [["app.cjs"], 0, [OK("app.cjs")]],
  [["./serving.mjs"], 0, [OK("./serving.mjs")]],
  [["./good.json"], 0, [OK("./good.json")]],
  [["./all.json:upstream"], 0, [OK("./all.json:upstream")]],
  [["./app.mjs:policy", "--show"], 0, [...SNAPSHOT("./app.mjs:policy"), OK("./app.mjs:policy")]],
  [["--show", "./app.mjs"], 0, [...SNAPSHOT("./app.mjs"), OK("./app.mjs")]],
  [
    ["./app.mjs:never"],
    0,
    [
      "warning: [./app.mjs:never] retry.maxUnknownAttempts (9) is never reached: retry.maxAttempts is 3; lower it to maxAttempts or less, or leave it out",
      OK("./app.mjs:never"),
    ],
  ],
  [
    ["./app.mjs:hasty"],
    0,
    ["warning: [./app.mjs:hasty] retry.deadlineMs (0) leaves no time for a retry; raise it", OK("./app.mjs:hasty")],
  ],
  [
    ["./app.mjs:mean"],
    0,
    ["warning: [./app.mjs:mean] budget.maxRetries (0) grants no retry at all; raise it", OK("./app.mjs:mean")],
  ],
  [
    ["./app.mjs:raw"],
    1,
    [
      "error: [./app.mjs:raw] retry.maxAttempts: 0 is out of range: a whole number of at least 1, at most 4294967295",
      "error: [./app.mjs:raw] retry.deadlineMs: -1 is out of range: a number of at least 0",
      "error: [./app.mjs:raw] retry.maxUnknownAttempts: -2 is out of range: a whole number of at least 0, at most 65534",
      `error: [./app.mjs:raw] retry.perClassMaxAttempts: "RATELIMIT" ${NO_CLASS}`,
      "error: [./app.mjs:raw] retry.perClassMaxAttempts.TRANSIENT: -1 is out of range: a whole number of at least 0, at most 65534",
      "error: [./app.mjs:raw] retry.strategy is not set: nothing says how long to wait before a retry; give a strategy, for all classes or for some",
    ],
  ],
  [["app.cjs:raw"], 1, [/^error: \[app\.cjs:raw\] retry\.maxAttempts: 0 is out of range/]],
  [["./bad.json"], 1, [/maxAttempts: 0/, /deadlineMs: -1/, /"RATELIMIT" is no class/, /strategy is not set/]],
  [["./app.mjs:once"], 1, ["error: Policy has no retry component configured."]],
  [["./app.mjs:absent"], 1, ["error: Could not find attribute 'absent' on module './app.mjs'"]],
  [["./bare.mjs"], 1, ["error: Could not find attribute 'config' on module './bare.mjs'"]],
  [["./all.json:absent"], 1, ["error: Could not find attribute 'absent' on module './all.json'"]],
  [["./app.mjs:seven"], 1, ["error: Expected a RetryConfig, Retry, RetryPolicy, Policy or their options, got 7"]],
  [["./app.mjs:breaker"], 1, [/^error: Expected a RetryConfig, .* got CircuitBreaker$/]],
  [["./absent.mjs:config"], 1, ["error: No module named './absent.mjs'"]],
  [["./broken.mjs:config"], 1, ["error: Could not load './broken.mjs': the module's own fault on two lines"]],
  [
    ["./exits.mjs"],
    1,
    [
      "error: Could not load './exits.mjs': it ended the process with code 0 while it was loaded, by `process.exit` or an error that nothing caught",
    ],
  ],
  [["./exits-later.mjs"], 1, [/^error: Could not load '\.\/exits-later\.mjs': it ended the process with code 7/]],
  [["./waits.mjs"], 1, ["error: Could not load './waits.mjs': what it waits for at its top level never settles"]],
  [["./exits.mjs", "--json"], 1, ["{", /"target"/, `  "ok": false,`, /"error": "Could not load/, /"findings"/, "}"]],
  [
    ["./long.json"],
    1,
    ["error: [./long.json] retry.strategy.delaysMs.length: 10001 is out of range: at most 10000 delays"],
  ],
  [
    ["./longer.json"],
    1,
    [
      /retry\.strategy\.fallback\.delaysMs\.length: 10001 is out of range: at most 10000 delays$/,
      /retry\.strategies\.TRANSIENT\.delaysMs\.length: 10001 is out of range: at most 10000 delays$/,
    ],
  ],
  [["./proto.json"], 1, [/^error: \[\.\/proto\.json\] retry\.__proto__ is no option; there are /]],
  [["./protos.json"], 1, PROTOS],
  [["./kind.json"], 1, [/retry\.strategy\.kind: "__proto__" is not one of adaptive, constant, /]],
  [["./cut.json"], 1, [/^error: Could not load '\.\/cut\.json': /]],
  [[":policy"], 1, ["error: doctor target must be in the form module:attribute (e.g. ./app.mjs:policy)"]],
  [[], 2, [/^usage: redress doctor/, "redress: error: the following arguments are required: module[:attribute]"]],
  [["./app.mjs", "--nope"], 2, [/^usage: redress doctor/, /^redress: error: Unknown option '--nope'/]],
  [["./app.mjs", "more"], 2, [/^usage: redress doctor/, "redress: error: unrecognized arguments: more"]],
];

/** The doctor's answers to good and bad, and to what is none of both. */
export async function checkDoctor({ project }) {
  const folder = join(project, "doctor");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const manifest = JSON.parse(readFileSync(join(project, "node_modules/redress/package.json"), "utf8"));
  const command = (runtime, ...words) => {
    return run([...commandOf(runtime), join(project, "node_modules/redress", manifest.bin.redress), ...words], {
      cwd: folder,
    });
  };
  const results = [];
  for (const runtime of ["node-20", "node-24"]) {
    for (const [words, code, lines] of TABLE) {
      const name = `doctor: ${["doctor", ...words].join(" ")} exits with ${code} and says why, on ${runtime}`;
      results.push(await result(name, async () => answered(await command(runtime, "doctor", ...words), code, lines)));
    }
  }
  for (const runtime of ["node-24", "deno", "bun"]) {
    const name = `doctor: a TypeScript module is looked at where ${runtime} takes its types away`;
    results.push(
      await result(name, async () => answered(await command(runtime, "doctor", "./app.ts"), 0, [OK("./app.ts")])),
    );
  }
  results.push(
    await result("doctor: node-20, which does not, says so", async () => {
      const unknown = /^error: Could not load '\.\/app\.ts': Unknown file extension "\.ts"/;
      answered(await command("node-20", "doctor", "./app.ts"), 1, [unknown]);
    }),
  );
  const inFolder = { command, folder, version: manifest.version };
  results.push(
    await result("doctor: --json says the same for programs", () => saysJson(inFolder)),
    await result("doctor: the policy in JSON of the README is clean", async () => {
      const text = readFileSync(join(project, "node_modules/redress/README.md"), "utf8");
      writeFileSync(join(folder, "readme.json"), text.match(/```json\n([^]*?)```/)[1]);
      answered(await command("node-20", "doctor", "./readme.json"), 0, [OK("./readme.json")]);
    }),
    await result("doctor: --help and --version", () => saysUsage(inFolder)),
    await result("doctor: npx finds the command on node-20", () => runsByNpx(folder, "node-20")),
    await result("doctor: npx finds the command on node-24", () => runsByNpx(folder, "node-24")),
    await result("doctor: no application holds the linter", () => holdsNoLinter(project)),
  );
  return results;
}

function answered({ code, stdout, stderr }, expected, lines) {
  assert.equal(code, expected, stdout + stderr);
  const [said, silent] = expected === 2 ? [stderr, stdout] : [stdout, stderr];
  assert.equal(silent, "");
  const found = said.trimEnd().split("\n");
  assert.equal(found.length, lines.length, said);
  lines.forEach((line, nth) =>
    typeof line === "string" ? assert.equal(found[nth], line) : assert.match(found[nth], line),
  );
}

async function saysJson({ command }) {
  const good = await command("node-24", "doctor", "./app.mjs:policy", "--json", "--show");
  assert.equal(good.code, 0);
  const { snapshot, ...others } = JSON.parse(good.stdout);
  assert.deepEqual(others, { target: "./app.mjs:policy", ok: true, findings: [] });
  assert.equal(snapshot.max_attempts, 6);
  assert.equal(snapshot.per_class_max_attempts.RATE_LIMIT, 0);

  const bad = await command("node-24", "doctor", "./app.mjs:raw", "--json");
  assert.equal(bad.code, 1);
  const { ok, findings, snapshot: none } = JSON.parse(bad.stdout);
  assert.equal(ok, false);
  assert.equal(none, undefined);
  assert.equal(findings.length, 6);
  assert.deepEqual(findings[1], {
    severity: "error",
    field: "retry.deadlineMs",
    value: -1,
    problem: "is out of range",
    help: "it must be a number of at least 0",
    message: "retry.deadlineMs: -1 is out of range: a number of at least 0",
  });
  assert.equal(findings[5].value, null);

  const suspicious = await command("node-24", "doctor", "./app.mjs:never", "--json");
  assert.deepEqual(JSON.parse(suspicious.stdout).findings[0].beside, { field: "retry.maxAttempts", value: 3 });

  const absent = await command("node-24", "doctor", "./app.mjs:absent", "--json");
  assert.equal(absent.code, 1);
  assert.match(JSON.parse(absent.stdout).error, /'absent'/);
}

async function saysUsage({ command, version }) {
  for (const words of [["--help"], ["doctor", "-h"]]) {
    const { code, stdout } = await command("node-20", ...words);
    assert.equal(code, 0);
    for (const word of ["usage: redress doctor", "--show", "--json", "'config'", "Exit code"])
      assert.ok(stdout.includes(word), word);
  }
  const told = await command("node-20", "--version");
  assert.deepEqual([told.code, told.stdout], [0, `${version}\n`]);
  answered(await command("node-20"), 2, [
    /^usage: redress doctor/,
    "redress: error: the following arguments are required: command",
  ]);
  answered(await command("node-20", "nurse"), 2, [/^usage/, "redress: error: 'nurse' is no command; there is doctor"]);
}

async function runsByNpx(folder, runtime) {
  // What npx starts is the `node` of its PATH.
  const PATH = `${dirname(commandOf(runtime)[0])}${delimiter}${process.env.PATH}`;
  const words = ["npx", "--no-install", "redress", "doctor", "./app.mjs:policy"];
  answered(await run(words, { cwd: folder, env: { PATH } }), 0, [OK("./app.mjs:policy")]);
}

async function holdsNoLinter(project) {
  const options = { bundle: true, write: false, metafile: true, format: "esm", logLevel: "silent" };
  const inputs = async (contents) => {
    const { metafile } = await build({ ...options, stdin: { contents, resolveDir: project } });
    return Object.keys(metafile.inputs).filter((path) => /lint|json/.test(path));
  };
  const whole = ["redress", "redress/testing", "redress/durable", "redress/decorators"];
  assert.deepEqual(await inputs(whole.map((name) => `export * from "${name}";`).join("\n")), []);
  assert.notDeepEqual(await inputs(`export * from "redress/lint";`), []);
}

async function result(name, body) {
  try {
    await body();
    return { name, error: null };
  } catch (error) {
    return { name, error: String(error.stack) };
  }
}
