// redress-web on Node 24, in Chromium and in workerd: programs of Rust, linked by `wasm/bind`, that call a real server which
// fails; the vectors in workerd; the example; the snippets of the README.
//
//   node tests/web/run.mjs [--only node-24,chromium,workerd,vectors,example,readme]

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startFlakyServer } from "../runtimes/lab/flaky-server.mjs";
import { buildPrograms, EXAMPLE, PROGRAMS } from "./build.mjs";
import { checkReadme } from "./readme.mjs";
import { checkExample, checkVectors, inChromium, inNode, inWorkerd } from "./runtimes.mjs";

const PARTS = {
  "node-24": inNode,
  chromium: inChromium,
  workerd: inWorkerd,
  vectors: checkVectors,
  example: checkExample,
  readme: checkReadme,
};

const { values } = parseArgs({ options: { only: { type: "string", default: Object.keys(PARTS).join(",") } } });
const parts = values.only.split(",");
for (const part of parts) {
  if (!(part in PARTS)) throw new Error(`--only ${part}: not one of ${Object.keys(PARTS).join(", ")}`);
}

const folder = mkdtempSync(join(tmpdir(), "redress-web-"));
await buildPrograms([...PROGRAMS, EXAMPLE], folder);
const server = await startFlakyServer({ root: folder });
const refused = await closedPort();
const total = { passed: 0, failed: 0 };
for (const part of parts) {
  const started = Date.now();
  let results;
  try {
    results = await PARTS[part]({ folder, base: server.url, refused });
  } catch (error) {
    results = [{ name: `${part} runs`, error: String(error?.stack ?? error) }];
  }
  const failures = results.filter(({ error }) => error !== null);
  for (const { name, error } of failures) console.log(`FAILED ${part}: ${name}\n    ${error}`);
  const passed = results.length - failures.length;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${part}: ${passed} passed, ${failures.length} failed, 0 skipped, in ${seconds} s`);
  total.passed += passed;
  total.failed += failures.length;
}
await server.close();
rmSync(folder, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed, 0 skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

/** The URL of a port that was free a moment ago. */
async function closedPort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return `http://127.0.0.1:${port}/`;
}
