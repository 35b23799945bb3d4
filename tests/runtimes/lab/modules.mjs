// Ways to load the package other than the suite's own `import`: `require`, each subpath, one state whatever the way, how
// much is read, and a page whose policy forbids WebAssembly.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { importMap } from "./consumer.mjs";
import { openChromium, openFirefox } from "./runtimes/browsers.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

const REQUIRE = `
const { Policy, backoff } = require("redress");
const testing = require("redress/testing");
const decorators = require("redress/decorators");
const durable = require("redress/durable");
const linter = require("redress/lint");
if (linter.lint({ maxAttempts: 0 }).length !== 2) process.exit(2);
if (![testing, decorators, durable].every((module) => Object.keys(module).length > 0)) process.exit(2);
const policy = new Policy({ retry: { strategy: backoff.constant(0) } });
let calls = 0;
policy
  .call(() => {
    calls += 1;
    if (calls < 3) throw Object.assign(new Error("x"), { status: 503 });
    return "value";
  })
  .then((value) => console.log(value, calls));
`;

const ENTRIES = [
  "",
  "/backoff",
  "/classify",
  "/config",
  "/decorators",
  "/durable",
  "/lint",
  "/queues",
  "/redis",
  "/testing",
];

/** What is imported is what is required, and the entries share their classes. */
const ONE_STATE = `
import { createRequire } from "node:module";
const required = createRequire(import.meta.url);
const differing = [];
for (const entry of ${JSON.stringify(ENTRIES)}) {
  const [imported, common] = [await import("redress" + entry), required("redress" + entry)];
  // Deno and Bun add a default of their own to what has none.
  const names = Object.keys(imported).filter((name) => name in common && name !== "module.exports");
  if (names.length === 0 || Object.keys(common).some((name) => !names.includes(name))) differing.push(entry + ": the names");
  for (const name of names) if (imported[name] !== common[name]) differing.push(entry + ": " + name);
}
const { Backoff, backoff } = await import("redress");
const { constant } = await import("redress/backoff");
if (constant !== backoff.constant || !(constant(1) instanceof Backoff)) differing.push("backoff");
console.log(differing.length === 0 ? "one" : differing.join(", "));
`;

/** The files of the package that a program reads when it imports it, and constructs what needs the core. */
const READ = `
import { registerHooks } from "node:module";
const read = [];
registerHooks({
  load(url, context, next) {
    const [, path] = /\\/node_modules\\/redress\\/(.*)$/.exec(url) ?? [];
    if (path !== undefined) read.push(path);
    return next(url, context);
  },
});
const { Policy } = await import("redress");
new Policy();
console.log(read.sort().join(" "));
`;

/** Where an error of the package comes from, for who debugs it. */
const STACK = `
import { Budget } from "redress";
try {
  new Budget({ ratio: 5 });
} catch ({ stack }) {
  console.log(/\\/redress\\/(ts\\/policy\\/budget\\.ts)/.exec(stack)?.[1] ?? stack);
}
`;

/** The error of a first construction where WebAssembly is not what it should be. */
const unavailable = (spoilt) => `
${spoilt}
const { Budget, WasmUnavailableError } = await import("redress");
try {
  new Budget({ ratio: 0.1 });
} catch (error) {
  console.log(error instanceof WasmUnavailableError && error.code === "REDRESS_WASM_UNAVAILABLE", error.message);
}
`;
const refusing = (error) => `WebAssembly.Module = function () { throw ${error}; };`;
const NOT_STARTED = "true redress: WebAssembly could not be started:";
const ALL = { "node-20": [], "node-24": [], deno: [], bun: [] };

/** Each: what it shows, the program, the runtimes with flags, and what it prints. */
const TABLE = [
  ["import and require have one state, whatever the entry", ONE_STATE, ALL, "one"],
  ["import reads two files", READ, { "node-24": [] }, "dist/cjs/redress.js dist/node/index.js"],
  [
    "the stack of an error leads to TypeScript",
    STACK,
    { "node-20": ["--enable-source-maps"], "node-24": ["--enable-source-maps"] },
    "ts/policy/budget.ts",
  ],
  [
    "the stack of an error in the tree of modules leads to TypeScript",
    STACK,
    { "node-24": ["--enable-source-maps", "--conditions=module"] },
    "ts/policy/budget.ts",
  ],
  [
    "WebAssembly: a runtime that has none is told from one that forbids it",
    unavailable("delete globalThis.WebAssembly;"),
    ALL,
    `${NOT_STARTED} this runtime has none, like Hermes of React Native, and iOS in lockdown mode`,
  ],
  [
    "WebAssembly: a browser that compiles no more than 4 KB on its main thread is named as such",
    // As Chromium says it up to version 113.
    unavailable(
      refusing(
        'new RangeError("WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 4KB.")',
      ),
    ),
    ALL,
    `${NOT_STARTED} on its main thread this browser compiles 4 KB at most; Chromium 114 does more, and so does a worker`,
  ],
  [
    "WebAssembly: any other cause is in the message as it is",
    unavailable(refusing('new RangeError("could not allocate memory")')),
    ALL,
    `${NOT_STARTED} RangeError: could not allocate memory`,
  ],
];

const CSP_PAGE = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'unsafe-inline'">
<script type="importmap">IMPORTMAP</script>
<script type="module">
  import { Policy, backoff } from "redress";
  try {
    new Policy({ retry: { strategy: backoff.constant(1) } });
    window.answer = { made: true };
  } catch (error) {
    window.answer = { name: error.name, code: error.code, message: error.message, isError: error instanceof Error };
  }
</script>`;

/** `require` on each runtime that has it. */
export async function checkModules({ project, base }) {
  writeFileSync(join(project, "required.cjs"), REQUIRE);
  const results = [];
  for (const runtime of ["node-20", "node-24", "deno", "bun"]) {
    const { code, stdout, stderr } = await run([...commandOf(runtime), "required.cjs"], { cwd: project });
    const right = code === 0 && stdout.trim() === "value 3";
    results.push({
      name: `require works on ${runtime}, also of the subpaths`,
      error: right ? null : `exit code ${code}\n${stdout}${stderr}`,
    });
  }
  for (const [n, [name, program, runtimes, printed]] of TABLE.entries()) {
    const file = join(project, `loaded-${n}.mjs`);
    writeFileSync(file, program);
    for (const [runtime, flags] of Object.entries(runtimes)) {
      const { code, stdout, stderr } = await run([...commandOf(runtime), ...flags, file], { cwd: project });
      const right = code === 0 && stdout.trim() === printed;
      results.push({ name: `${name}, on ${runtime}`, error: right ? null : `exit code ${code}\n${stdout}${stderr}` });
    }
  }
  for (const [name, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
    results.push(await refusedByPage(name, open, { project, base }));
  }
  return results;
}

async function refusedByPage(name, open, { project, base }) {
  const page = CSP_PAGE.replace("IMPORTMAP", () => JSON.stringify(importMap(project, "redress")));
  writeFileSync(join(project, "csp.html"), page);
  const browser = await open();
  try {
    await browser.page.goto(`${base}/csp.html`);
    // A page is loaded once its modules have run; to wait for more takes a function, which its policy forbids, too.
    const answer = await browser.page.evaluate("window.answer");
    const message =
      "redress: WebAssembly could not be started: a Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src";
    const right = answer?.isError && answer.code === "REDRESS_WASM_UNAVAILABLE" && answer.message === message;
    return {
      name: `WebAssembly: a page that forbids it gets a typed error that names its policy, in ${name}`,
      error: right ? null : JSON.stringify(answer),
    };
  } finally {
    await browser.close();
  }
}
