// Bundles the page into dist/, and with --serve serves it: `node build.mjs [--serve [--port N]]`.

import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));

/** Bundles entries by their names into a folder. */
export function bundle(outdir, entryPoints, more = {}) {
  const options = { bundle: true, format: "esm", target: "es2022", logLevel: "warning" };
  return esbuild.build({ absWorkingDir: HERE, entryPoints, outdir, ...options, ...more });
}

/** Writes the page and its worker into a folder, and other entries besides. */
export async function build(outdir = join(HERE, "dist"), entries = {}) {
  mkdirSync(outdir, { recursive: true });
  cpSync(join(HERE, "page", "index.html"), join(outdir, "index.html"));
  const page = { page: "src/main.ts", style: "page/style.css", worker: "src/worker.ts" };
  await bundle(outdir, { ...page, ...entries }, { minify: true, sourcemap: "linked" });
  return outdir;
}

/** Serves a folder on the loopback; its address, and what ends it. */
export async function serve(servedir, port = 0) {
  const context = await esbuild.context({ absWorkingDir: HERE });
  const served = await context.serve({ servedir, host: "127.0.0.1", port });
  return { url: `http://127.0.0.1:${served.port}/`, close: () => context.dispose() };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const options = { serve: { type: "boolean", default: false }, port: { type: "string", default: "0" } };
  const { values } = parseArgs({ options });
  const folder = await build();
  console.log(`the page is in ${folder}`);
  if (values.serve) console.log(`open ${(await serve(folder, Number(values.port))).url}`);
}
