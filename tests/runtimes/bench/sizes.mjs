// Bytes of bundles, minified and compressed as a server would send them.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { HERE } from "../lab/consumer.mjs";
import { BUNDLE } from "./ours.mjs";
import { bundles } from "./peers.mjs";

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** Compressed bytes of a program's bundle: its text, and the modules that it has as files. */
export async function bundle(contents, resolveDir, conditions) {
  const asFile = {
    name: "wasm as a file",
    setup(esbuild) {
      esbuild.onResolve({ filter: /\.wasm$/ }, async ({ path, pluginData, ...from }) => {
        if (pluginData === "inner") return undefined;
        const found = (await esbuild.resolve(path, { ...from, pluginData: "inner" })).path;
        return { path: found, external: true };
      });
    },
  };
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    outfile: "bundle.js",
    format: "esm",
    target: "es2022",
    platform: "browser",
    ...(conditions === undefined ? {} : { conditions }),
    plugins: [asFile],
    logLevel: "silent",
  });
  // What the output imports, not what was looked at on the way.
  const [{ imports }] = Object.values(metafile.outputs);
  const files = imports.map(({ path }) => gzip(readFileSync(path)));
  return { js: gzip(outputFiles[0].contents), wasm: files.reduce((sum, size) => sum + size, 0) };
}

/** Compressed bytes of each bundle, ours twice. */
export async function sizes(project) {
  const inlined = await bundle(BUNDLE, project, ["browser"]);
  const file = await bundle(BUNDLE, project, ["workerd", "worker"]);
  const rows = {
    "redress, policy, retry, breaker, budget; wasm inlined": inlined.js + inlined.wasm,
    "redress, the same; wasm as a file": file.js + file.wasm,
  };
  if (inlined.wasm > 0) throw new Error("the browser's bundle has wasm as a file");
  if (file.wasm === 0) throw new Error("the worker's bundle has no wasm file");
  for (const [name, contents] of Object.entries(bundles)) {
    const { js, wasm } = await bundle(contents, HERE);
    rows[name] = js + wasm;
  }
  return rows;
}
