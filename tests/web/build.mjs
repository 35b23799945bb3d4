// Builds the programs of Rust: cargo links them, and `wasm/bind` writes the glue.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(HERE, "..", "..");
const TARGET = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");

/** Each with the workspace it is in. */
export const PROGRAMS = [
  { crate: "redress-web-flaky", name: "flaky", workspace: HERE },
  { crate: "redress-web-vectors", name: "vectors", workspace: HERE },
];
export const EXAMPLE = {
  crate: "edge-worker-rust",
  name: "worker",
  workspace: join(ROOT, "examples", "edge-worker-rust"),
};

/** Runs cargo: `{ status, stdout, stderr }`. */
export function spawnCargo(words, cwd = ROOT) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, CARGO_TARGET_DIR: TARGET };
    const child = spawn("cargo", words, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"]) {
      child[stream].setEncoding("utf8").on("data", (text) => (output[stream] += text));
    }
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, ...output }));
  });
}

/** The output of cargo, which must succeed. */
export async function cargo(words, cwd) {
  const { status, stdout, stderr } = await spawnCargo(words, cwd);
  if (status !== 0) throw new Error(`cargo ${words.join(" ")}: exit code ${status}\n${stderr}`);
  return stdout;
}

const BIND = ["--quiet", "--locked", "-p", "redress-wasm-bind", "--bin", "redress-web-bind"];

/** Builds programs into a folder: `NAME_bg.wasm` and `NAME_bg.js` of each. */
export async function buildPrograms(programs, folder) {
  // Of two profiles, so that neither waits for the other.
  await Promise.all([cargo(["build", ...BIND]), link(programs)]);
  for (const { crate, name } of programs) {
    const linked = join(TARGET, "wasm32-unknown-unknown", "release", `${crate.replaceAll("-", "_")}.wasm`);
    await cargo(["run", ...BIND, "--", linked, folder, name]);
    const wasm = readFileSync(join(folder, `${name}_bg.wasm`));
    console.log(`${crate}: ${wasm.length} bytes, ${gzipSync(wasm, { level: 9 }).length} by gzip`);
  }
}

/** Each workspace by one build. */
async function link(programs) {
  for (const workspace of new Set(programs.map((program) => program.workspace))) {
    const crates = programs.filter((program) => program.workspace === workspace).flatMap(({ crate }) => ["-p", crate]);
    const target = ["--target", "wasm32-unknown-unknown"];
    await cargo(["build", "--quiet", "--locked", "--release", ...target, ...crates], workspace);
  }
}
