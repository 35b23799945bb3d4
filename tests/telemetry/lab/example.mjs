// The tests of examples/node-service, by its one command, with the packed package in place of one that it would build.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../../runtimes/lab/consumer.mjs";
import { run } from "../../runtimes/lab/runtimes/process.mjs";

/** Runs them; a result for each. */
export async function example({ tarball }) {
  const copy = mkdtempSync(join(tmpdir(), "redress-node-service-"));
  const made = /node_modules|dist|\.tgz$/;
  cpSync(join(REPOSITORY, "examples", "node-service"), copy, { recursive: true, filter: (path) => !made.test(path) });
  cpSync(tarball, join(copy, "redress.tgz"));
  const { code, stdout, stderr } = await run(["npm", "test"], {
    cwd: copy,
    limitMs: 120_000,
    env: { NODE_OPTIONS: "" },
  });
  rmSync(copy, { recursive: true, force: true });
  const tests = [...stdout.matchAll(/^ *(?<not>not )?ok \d+ - (?<name>.*)$/gm)].map(({ groups }) => {
    return { name: groups.name, error: groups.not === undefined ? null : stdout + stderr };
  });
  const isOver = code === 0 && tests.length > 5;
  return isOver || tests.some(({ error }) => error !== null)
    ? tests
    : [...tests, { name: "the tests of the example end", error: `exit code ${code}\n${stdout}${stderr}` }];
}
