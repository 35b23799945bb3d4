// Builds the worker into `build`: cargo links it, and the repository's own wasm-bindgen writes the glue.

import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const env = { ...process.env, CARGO_TARGET_DIR: target };

function cargo(words, cwd) {
  execFileSync("cargo", words, { cwd, env, stdio: "inherit" });
}

cargo(["build", "--release", "--target", "wasm32-unknown-unknown"], here);
const linked = join(target, "wasm32-unknown-unknown", "release", "edge_worker_rust.wasm");
const bind = ["run", "-p", "redress-wasm-bind", "--bin", "redress-web-bind", "--"];
cargo([...bind, linked, join(here, "build"), "worker"], root);
