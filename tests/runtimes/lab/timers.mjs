// Fake timers of test runners: those of node:test, which leave `performance.now` alone, and those of vitest.

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { HERE } from "./consumer.mjs";
import { borrowPeers } from "./readme.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

/** The tests of both, as TAP has them. */
export async function checkTimers({ project }) {
  const folder = borrowPeers(join(project, "timers"));
  const [mock, fake] = ["mock-timers.test.mjs", "fake-timers.test.mjs"].map((name) => {
    copyFileSync(join(HERE, "lab", "programs", name), join(folder, name));
    return name;
  });
  const [node] = commandOf("node-24");
  const vitest = join(HERE, "node_modules", "vitest", "vitest.mjs");
  const [byNode, byVitest] = [
    await run([commandOf("node-20")[0], "--test-reporter=tap", mock], { cwd: folder, limitMs: 60_000 }),
    await run([node, vitest, "run", "--root", folder, "--reporter=tap-flat", fake], { cwd: folder, limitMs: 60_000 }),
  ];
  return [
    ...resultsOf("node:test, on node-20", byNode),
    ...resultsOf(
      "node:test, on node-24",
      await run([node, "--test-reporter=tap", mock], { cwd: folder, limitMs: 60_000 }),
    ),
    ...resultsOf("vitest 4, on node-24", byVitest),
  ];
}

function resultsOf(how, { code, stdout, stderr }) {
  const lines = [...stdout.matchAll(/^(?<not>not )?ok \d+ - (?:\S+\.mjs > )?(?<title>.*?)(?: # .*)?$/gm)];
  const results = lines.map(({ groups: { not, title } }) => {
    return { name: `timers: ${title}, ${how}`, error: not === undefined ? null : stdout + stderr };
  });
  const isWhole = code === 0 && results.length >= 4;
  if (!isWhole && results.every(({ error }) => error === null))
    results.push({ name: `timers: the tests run, ${how}`, error: `exit code ${code}\n${stdout}${stderr}` });
  return results;
}
