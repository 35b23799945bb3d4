// workerd, through miniflare: the suite bundled as wrangler does, with wasm as a module.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { kCurrentWorker, Miniflare } from "miniflare";

/** Bundles a worker's entry, or one for another edge's conditions; the modules that miniflare takes. */
export async function bundleWorker(
  entry,
  { project, external = [], conditions = ["workerd", "worker", "browser"] } = {},
) {
  const wasm = new Map();
  const keepWasm = {
    name: "wasm-modules",
    setup(esbuild) {
      esbuild.onResolve({ filter: /\.wasm(\?module)?$/ }, async (found) => {
        if (found.pluginData === "resolved") return undefined;
        const options = { resolveDir: found.resolveDir, kind: found.kind, importer: found.importer };
        const resolved = await esbuild.resolve(found.path.replace("?module", ""), {
          ...options,
          pluginData: "resolved",
        });
        wasm.set(`./${basename(resolved.path)}`, resolved.path);
        return { path: `./${basename(resolved.path)}`, external: true };
      });
    },
  };
  const { outputFiles } = await build({
    entryPoints: [entry],
    absWorkingDir: project,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions,
    external: ["cloudflare:*", "node:*", ...external],
    plugins: [keepWasm],
    logLevel: "silent",
  });
  return [
    { type: "ESModule", path: "worker.js", contents: outputFiles[0].text },
    ...[...wasm].map(([path, file]) => {
      return { type: "CompiledWasm", path: path.slice(2), contents: readFileSync(file) };
    }),
  ];
}

/** Runs `body` with a worker of these modules and bindings. */
export async function withMiniflare(options, body) {
  const miniflare = new Miniflare({ compatibilityDate: "2026-07-01", ...options });
  try {
    return await body(miniflare);
  } finally {
    await miniflare.dispose();
  }
}

/** Runs the suite; its results. */
export async function runInWorkerd({ project, base, filter }) {
  const modules = await bundleWorker(join(project, "entries", "worker.js"), { project });
  const bindings = {
    durableObjects: { BREAKERS: "RedressState", CLOCKED: "ClockedState", HUNG: "HungState" },
    serviceBindings: { SELF: kCurrentWorker },
    queueProducers: { JOBS: "jobs" },
    queueConsumers: { jobs: { maxBatchTimeout: 0.05, maxRetries: 10 } },
  };
  return withMiniflare({ modules, ...bindings }, async (miniflare) => {
    const body = JSON.stringify({ base, filter });
    const response = await miniflare.dispatchFetch("http://suite.test/", { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  });
}
