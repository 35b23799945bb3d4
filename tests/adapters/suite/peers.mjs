// Where no peer is installed: the package is imported all the same, and what misses is said.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { assert, run, test } from "../lab/harness.mjs";

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGE = join(PROJECT, "node_modules", "redress");
const CLIENTS = { axios: "axios", ky: "ky", got: "got" };
const ADAPTERS = [
  ...["axios", "undici", "ky", "got", "grpc", "connect", "express", "fastify", "hono"],
  ...["bullmq", "amqp", "cloudflare", "queues"],
];

/** A project with the package and nothing else; runs a program in it. */
function bare({ cleanup }) {
  const folder = mkdtempSync(join(tmpdir(), "redress-bare-"));
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(PACKAGE, join(folder, "node_modules", "redress"), { recursive: true });
  return (name, text) => {
    writeFileSync(join(folder, name), text);
    return execFileSync(process.execPath, [join(folder, name)], { encoding: "utf8" }).trim();
  };
}

for (const name of ADAPTERS) {
  test(`peers: redress/${name} is imported and required where nothing else is installed`, (lab) => {
    const play = bare(lab);
    const print = "console.log(Object.keys(one).filter((key) => key !== 'default').sort().join())";
    const imported = play("import.mjs", `import * as one from "redress/${name}"; ${print}`);
    assert.equal(play("require.cjs", `const one = require("redress/${name}"); ${print}`), imported);
    assert.match(imported, /withPolicy|interceptor|requests|processor|consumer|JobRunner/);
  });
}

for (const [name, peer] of Object.entries(CLIENTS)) {
  test(`peers: redress/${name} names the package that misses`, (lab) => {
    const text = `import { Policy } from "redress"; import { withPolicy } from "redress/${name}";
try { withPolicy(undefined, new Policy()); } catch (error) { console.log(error.name + ": " + error.message); }`;
    assert.match(
      bare(lab)("missing.mjs", text),
      new RegExp(
        `^TypeError: ${name}.client: undefined is not an instance of the package ${peer} .*: npm install ${peer}$`,
      ),
    );
  });
}

test("peers: every peer is optional", () => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(join(PACKAGE, "package.json"), "utf8"),
  );
  assert.equal(dependencies, undefined);
  for (const name of Object.keys(peerDependencies))
    assert.deepEqual(peerDependenciesMeta[name], { optional: true }, name);
});

test("peers: a bundle of a program that names no adapter has nothing of them", async () => {
  const contents = `import { Policy, redressFetch } from "redress"; console.log(redressFetch(new Policy()));`;
  const stdin = { contents, resolveDir: PROJECT };
  const { metafile } = await build({
    stdin,
    bundle: true,
    format: "esm",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const theirs = Object.keys(inputs).filter(
    (path) => /\/(clients|queues|servers|shared)\//.test(path) && inputs[path].bytesInOutput > 0,
  );
  assert.deepEqual([theirs, Object.keys(inputs).length > 10], [[], true]);
});

await run();
