// The errors of real clients of HTTP, aborted by the program or by a time of their own.

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { HERE } from "./consumer.mjs";
import { borrowPeers } from "./readme.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

/** Runs each client, on a Node that undici runs on. */
export async function checkCancelled({ project, base }) {
  const folder = borrowPeers(join(project, "cancelled"));
  const program = join(folder, "cancelled.mjs");
  copyFileSync(join(HERE, "lab", "programs", "cancelled.mjs"), program);
  const { code, stdout, stderr } = await run([...commandOf("node-24"), program, base], {
    cwd: folder,
    limitMs: 30_000,
  });
  const found = code === 0 ? Object.entries(JSON.parse(stdout)) : [["runs", `exit code ${code}\n${stdout}${stderr}`]];
  return found.map(([title, error]) => ({ name: `clients: ${title}`, error }));
}
