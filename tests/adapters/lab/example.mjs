// The short form of examples/queue-worker, by its own command, with the packed package and the peers that are here.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NEEDED = ["bullmq", "ioredis", "typescript", "@types", "redress"];

export async function checkExample({ project, here }) {
  const copy = join(project, "queue-worker");
  const made = /node_modules|dist|\.tgz$/;
  cpSync(join(here, "..", "..", "examples", "queue-worker"), copy, {
    recursive: true,
    filter: (path) => !made.test(path),
  });
  mkdirSync(join(copy, "node_modules"));
  for (const name of NEEDED) symlinkSync(join(project, "node_modules", name), join(copy, "node_modules", name));
  // What it would be installed from.
  writeFileSync(join(copy, "redress.tgz"), "");
  const child = spawn("npm", ["test"], { cwd: copy, timeout: 120_000, env: { ...process.env, NODE_OPTIONS: "" } });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
  const [code] = await once(child, "close");
  const isWhole =
    code === 0 && printed.includes("150 jobs: 150 completed, 0 failed, 0 lost\n0 requests for a job that");
  return [
    { name: "queue-worker loses no job, and does none twice", error: isWhole ? null : `exit code ${code}\n${printed}` },
  ];
}
