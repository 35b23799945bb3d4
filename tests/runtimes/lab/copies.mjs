// Two copies of the package in one program: by two versions in nested folders, or as a bundler has it in two formats.

import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { HERE } from "./consumer.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

/** Runs the program with both copies, each as the one and as the other. */
export async function checkCopies({ project }) {
  const installed = join(project, "node_modules", "redress");
  const nested = join(project, "copies", "node_modules", "dependency", "node_modules", "redress");
  mkdirSync(nested, { recursive: true });
  cpSync(installed, nested, { recursive: true });
  const program = join(project, "copies", "copies.mjs");
  cpSync(join(HERE, "lab", "programs", "copies.mjs"), program);
  const [one, two] = [installed, nested].map((folder) => join(folder, "dist", "node"));
  const [esm, cjs] = ["esm", "cjs"].map((format) => join(installed, "dist", format));
  const pairs = {
    "in nested folders": [one, two],
    "in nested folders, the other way round": [two, one],
    "as ESM and CommonJS": [esm, cjs],
    "as CommonJS and ESM": [cjs, esm],
  };
  const results = [];
  for (const [how, folders] of Object.entries(pairs)) {
    for (const runtime of ["node-20", "node-24"]) {
      const { code, stdout, stderr } = await run([...commandOf(runtime), program, ...folders], { cwd: project });
      const found =
        code === 0 ? Object.entries(JSON.parse(stdout)) : [["the program runs", `${code}\n${stdout}${stderr}`]];
      for (const [title, error] of found) results.push({ name: `copies: ${title}, ${how}, on ${runtime}`, error });
    }
  }
  return results;
}
