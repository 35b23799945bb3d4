// Builds the programs of Rust: cargo links them, and `wasm/bind` writes the glue.

import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
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
  const env = { ...process.env, CARGO_TARGET_DIR: TARGET };
  return spawnSync("cargo", words, { cwd, env, encoding: "utf8", maxBuffer: 1 << 26 });
}

/** The output of cargo, which must succeed. */
export function cargo(words, cwd) {
  const { status, stdout, stderr } = spawnCargo(words, cwd);
  if (status !== 0) throw new Error(`cargo ${words.join(" ")}: exit code ${status}\n${stderr}`);
  return stdout;
}

/** Builds programs into a folder: `NAME_bg.wasm` and `NAME_bg.js` of each. */
export function buildPrograms(programs, folder) {
  for (const workspace of new Set(programs.map((program) => program.workspace))) {
    const crates = programs.filter((program) => program.workspace === workspace).flatMap(({ crate }) => ["-p", crate]);
    cargo(["build", "--quiet", "--locked", "--release", "--target", "wasm32-unknown-unknown", ...crates], workspace);
  }
  for (const { crate, name } of programs) {
    const linked = join(TARGET, "wasm32-unknown-unknown", "release", `${crate.replaceAll("-", "_")}.wasm`);
    cargo(["run", "--quiet", "--locked", "-p", "redress-wasm-bind", "--bin", "redress-web-bind", linked, folder, name]);
    const wasm = join(folder, `${name}_bg.wasm`);
    const zipped = gzipSync(readFileSync(wasm), { level: 9 }).length;
    console.log(`${crate}: ${statSync(wasm).size} bytes, ${zipped} by gzip`);
  }
}
