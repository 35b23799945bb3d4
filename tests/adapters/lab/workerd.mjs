// A worker of a program in lab/, in workerd by miniflare, with the core as a module of the bundle.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Starts a worker, bundled as wrangler does, with these settings of miniflare. */
export async function startWorker(program, settings, { cleanup }) {
  const wasm = new Map();
  const keepWasm = {
    name: "wasm",
    setup(esbuild) {
      esbuild.onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        wasm.set(basename(path), join(resolveDir, path));
        return { path: `./${basename(path)}`, external: true };
      });
    },
  };
  const { outputFiles } = await build({
    entryPoints: [join(PROJECT, "lab", program)],
    absWorkingDir: PROJECT,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser"],
    plugins: [keepWasm],
    logLevel: "silent",
  });
  const modules = [
    { type: "ESModule", path: "worker.js", contents: outputFiles[0].text },
    ...[...wasm].map(([path, file]) => ({ type: "CompiledWasm", path, contents: readFileSync(file) })),
  ];
  const compatibilityFlags = ["enable_request_signal"];
  const miniflare = new Miniflare({ compatibilityDate: "2026-07-01", compatibilityFlags, modules, ...settings });
  cleanup(() => miniflare.dispose());
  return miniflare;
}
