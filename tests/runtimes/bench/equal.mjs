// Whether the bundles of programs are the same bytes by two tarballs: what a new entry must not change.
//
//   node tests/runtimes/bench/equal.mjs BEFORE.tgz AFTER.tgz

import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { consumer } from "../lab/consumer.mjs";
import { PROGRAMS } from "./programs.mjs";

const [before, after] = process.argv.slice(2);
if (after === undefined) throw new Error("two tarballs are needed: BEFORE.tgz AFTER.tgz");

/** The programs, and one for each entry that both have. */
const ALL = {
  ...PROGRAMS,
  ...Object.fromEntries(
    ["backoff", "classify", "decorators", "durable", "lint", "testing"].map((entry) => [
      `everything of \`redress/${entry}\``,
      `import * as all from "redress/${entry}"; globalThis.all = all;`,
    ]),
  ),
};
const CONDITIONS = { inlined: ["browser"], "as a file": ["workerd", "worker"] };

/** The bundle of a program, as its bytes and their digest. */
async function bundled(contents, project, conditions) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: project },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["import", "module", ...conditions],
    mainFields: ["module", "main"],
    loader: { ".wasm": "binary" },
    external: ["cloudflare:*"],
    write: false,
  });
  const bytes = outputFiles[0].contents;
  return { bytes: bytes.length, digest: createHash("sha256").update(bytes).digest("hex") };
}

const projects = [];
for (const [name, tarball] of Object.entries({ before, after })) {
  // By the same path, which may be a part of what is bundled.
  const made = consumer(tarball);
  const folder = join(dirname(made), `redress-equal-${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  renameSync(made, join(folder, "project"));
  projects.push(join(folder, "project"));
}
let differ = 0;
for (const [name, contents] of Object.entries(ALL)) {
  for (const [form, conditions] of Object.entries(CONDITIONS)) {
    const [one, other] = [
      await bundled(contents, projects[0], conditions),
      await bundled(contents, projects[1], conditions),
    ];
    const isSame = one.digest === other.digest;
    if (!isSame) differ += 1;
    console.log(
      `${isSame ? "same" : "DIFFERS"}: ${name}, ${form}: ${one.bytes} and ${other.bytes} bytes, ${other.digest.slice(0, 16)}`,
    );
  }
}
for (const project of projects) rmSync(dirname(project), { recursive: true, force: true });
console.log(`${Object.keys(ALL).length * 2 - differ} same, ${differ} differ`);
process.exitCode = differ === 0 ? 0 : 1;
