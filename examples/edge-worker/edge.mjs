// The edge on this machine: workerd through miniflare, with the Durable Object and the queue.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const here = dirname(fileURLToPath(import.meta.url));

/** Bundles the worker as wrangler does: WebAssembly stays a module of its own. */
async function bundle() {
  const wasm = [];
  const modules = {
    name: "wasm modules",
    setup(esbuild) {
      esbuild.onResolve({ filter: /\.wasm$/ }, async ({ path, pluginData, ...from }) => {
        if (pluginData === "inner") return undefined;
        const found = await esbuild.resolve(path, { ...from, pluginData: "inner" });
        wasm.push(found.path);
        return { path: `./${basename(found.path)}`, external: true };
      });
    },
  };
  const { outputFiles } = await build({
    entryPoints: [join(here, "worker.js")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    plugins: [modules],
  });
  return [
    { type: "ESModule", path: "worker.js", contents: outputFiles[0].text },
    ...wasm.map((path) => ({ type: "CompiledWasm", path: basename(path), contents: readFileSync(path) })),
  ];
}

/** Starts `isolates` workers that share one Durable Object and one queue. */
export async function startEdge({ origin, isolates = 1 }) {
  const modules = await bundle();
  const bindings = { ORIGIN: origin };
  const compatibilityDate = "2026-07-01";
  const names = Array.from({ length: isolates }, (_, n) => `isolate-${n}`);
  const miniflare = new Miniflare({
    workers: names.map((name, n) => ({
      name,
      modules,
      bindings,
      compatibilityDate,
      durableObjects: { BREAKERS: { className: "RedressState", ...(n === 0 ? {} : { scriptName: names[0] }) } },
      queueProducers: { JOBS: "jobs", DEAD_JOBS: "dead-jobs" },
      ...(n === 0 ? { queueConsumers: { jobs: { maxBatchTimeout: 0.05, maxRetries: 20 } } } : {}),
    })),
  });
  await miniflare.ready;
  const workers = await Promise.all(names.map((name) => miniflare.getWorker(name)));
  return {
    /** Asks one of the isolates. */
    fetch: (path, init, isolate = 0) => workers[isolate].fetch(`http://edge.test${path}`, init),
    stop: () => miniflare.dispose(),
  };
}
