// The types: a strict program for each adapter, which must compile, and whose lines that are marked so must not; and the
// programs of the page on queues that are not run.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export async function checkTypes({ project, node, here }) {
  const tsc = join(here, "node_modules", "typescript", "bin", "tsc");
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    // Those of the peers are theirs.
    skipLibCheck: true,
    target: "es2022",
    lib: ["es2023", "dom", "dom.iterable"],
    types: ["node"],
  };
  const page = readFileSync(join(here, "..", "..", "wasm", "docs", "queues.md"), "utf8");
  for (const { groups, index } of page.matchAll(/```ts\n(?<code>[^]*?)\n```/g)) {
    const line = page.slice(0, index).split("\n").length;
    writeFileSync(join(project, "types", `queues.md-${line}.ts`), groups.code);
  }
  const results = [];
  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    for (const file of readdirSync(join(project, "types")).filter((name) => name.endsWith(".ts"))) {
      const config = { compilerOptions: { ...compilerOptions, module, moduleResolution }, files: [file] };
      const path = join(project, "types", `tsconfig.${moduleResolution}.${file}.json`);
      writeFileSync(path, JSON.stringify(config));
      let error = null;
      try {
        execFileSync(node, [tsc, "--project", path], { encoding: "utf8", cwd: project });
      } catch (failed) {
        error = `${failed.stdout}${failed.stderr}`;
      }
      results.push({ name: `${file} compiles by ${moduleResolution}`, error });
    }
  }
  return results;
}
