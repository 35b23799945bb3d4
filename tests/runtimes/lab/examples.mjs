// The examples' own tests, against the packed tarball in place of the working copy; those of node-service are in tests/telemetry, that of
// queue-worker is in tests/adapters.

import { cpSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { HERE, REPOSITORY } from "./consumer.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

/** Each example, and the runtimes its tests run on. */
const EXAMPLES = {
  browser: ["node-24"],
  "edge-worker": ["node-24"],
  playground: ["node-24"],
};

/** What they would install, besides the package. */
const BORROWED = [
  "miniflare",
  "esbuild",
  "playwright-core",
  "puppeteer-core",
  "typescript",
  "uplot",
  "jsonc-parser",
  "tinyqueue",
];

/** Where an example has its tests. */
const TEST_FILES = ["test.mjs", "test/code.test.mjs", "test/chromium.test.mjs", "test/firefox.test.mjs"];

/** Runs every example's tests; a result for each of them. */
export async function checkExamples({ project }) {
  const results = [];
  for (const [example, runtimes] of Object.entries(EXAMPLES)) {
    const folder = join(project, "examples", example);
    cpSync(join(REPOSITORY, "examples", example), folder, {
      recursive: true,
      filter: (path) => !path.includes("node_modules"),
    });
    borrow(folder, "redress", join(project, "node_modules"));
    for (const name of BORROWED) borrow(folder, name, join(HERE, "node_modules"));
    for (const runtime of runtimes) results.push(...(await runTests(example, runtime, folder)));
  }
  return results;
}

/** What the example would install, from where it is installed already. */
function borrow(folder, name, modules) {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  const link = join(folder, "node_modules", name);
  if (!existsSync(link)) symlinkSync(join(modules, name), link);
}

async function runTests(example, runtime, folder) {
  const [node] = commandOf(runtime);
  const files = TEST_FILES.filter((file) => existsSync(join(folder, file)));
  const command = [node, "--test", "--test-concurrency=1", "--test-reporter=tap", ...files];
  // The playground compiles the Rust that it writes with the crates of the repository.
  const env = { REDRESS_REPOSITORY: REPOSITORY };
  const { code, stdout, stderr } = await run(command, { cwd: folder, env, limitMs: 180_000 });
  const lines = [...stdout.matchAll(/^ *(?<not>not )?ok \d+ - (?<name>.*)$/gm)];
  // With one file, the lines of its tests are indented or not, by the version of Node.
  const tests = lines.filter(({ groups }) => !groups.name.endsWith("test.mjs"));
  const results = tests.map(({ groups }) => {
    const failed = groups.not !== undefined;
    return { name: `${example} on ${runtime}: ${groups.name}`, error: failed ? stdout + stderr : null };
  });
  const ended = code === 0 && tests.length > 0;
  if (!ended && results.every(({ error }) => error === null)) {
    results.push({ name: `${example} on ${runtime}`, error: `exit code ${code}\n${stdout}${stderr}` });
  }
  return results;
}
