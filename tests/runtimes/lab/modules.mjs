// Ways to load the package other than the suite's own `import`: `require`, each subpath,
// one state whatever the way, and a page whose policy forbids WebAssembly.

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
    await browser.page.waitForFunction("window.answer !== undefined", { timeout: 20_000 });
    const answer = await browser.page.evaluate("window.answer");
    const right = answer.isError && typeof answer.code === "string" && /wasm-unsafe-eval/.test(answer.message);
    return {
      name: `a page that forbids WebAssembly gets a typed error in ${name}`,
      error: right ? null : JSON.stringify(answer),
    };
  } finally {
    await browser.close();
  }
}
