// The edge on this machine: workerd through miniflare.

import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

/** Starts a worker; `fetch(path)` asks it. */
export async function startEdge() {
  const miniflare = new Miniflare({
    compatibilityDate: "2026-07-01",
    modules: true,
    rootPath: fileURLToPath(new URL(".", import.meta.url)),
    scriptPath: "worker.mjs",
    modulesRules: [
      { type: "ESModule", include: ["**/*.js"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
    ],
  });
  await miniflare.ready;
  return {
    fetch: (path, init) => miniflare.dispatchFetch(`http://edge.test${path}`, init),
    stop: () => miniflare.dispose(),
  };
}
