// esbuild, webpack, Vite and Rollup: each builds the suite, minified as for production and
// without a warning; the output is executed in Chromium and in Node.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runPage } from "./runtimes/browsers.mjs";
import { commandOf, runProgram } from "./runtimes/process.mjs";
import { checkShaken } from "./shaken.mjs";

const BUNDLERS = {
  async esbuild(entry, folder) {
    const { build } = await import("esbuild");
    const { warnings } = await build({
      entryPoints: [entry],
      outfile: join(folder, "app.js"),
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      logLevel: "silent",
    });
    return warnings.map((warning) => warning.text);
  },

  async webpack(entry, folder) {
    const { default: webpack } = await import("webpack");
    const compiler = webpack({
      mode: "production",
      entry,
      target: ["web", "es2022"],
      experiments: { outputModule: true },
      output: { path: folder, filename: "app.js", module: true },
      performance: false,
    });
    return new Promise((resolve, reject) => {
      compiler.run((error, stats) => {
        const { errors = [], warnings = [] } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
        compiler.close(() => {
          if (error) reject(error);
          else if (errors.length > 0) reject(new Error(errors.map(({ message }) => message).join("\n")));
          else resolve(warnings.map(({ message }) => message));
        });
      });
    });
  },

  async vite(entry, folder, project) {
    const { build } = await import("vite");
    const warnings = [];
    await build({
      configFile: false,
      root: project,
      logLevel: "silent",
      build: {
        outDir: folder,
        emptyOutDir: false,
        minify: true,
        target: "es2022",
        chunkSizeWarningLimit: 10_000,
        rollupOptions: {
          input: entry,
          output: { entryFileNames: "app.js" },
          onwarn: ({ message }) => warnings.push(message),
        },
      },
    });
    return warnings;
  },

  async rollup(entry, folder) {
    const [{ rollup }, { default: resolve }] = await Promise.all([
      import("rollup"),
      import("@rollup/plugin-node-resolve"),
    ]);
    const warnings = [];
    const bundle = await rollup({
      input: entry,
      plugins: [resolve({ browser: true })],
      onwarn: ({ message }) => warnings.push(message),
    });
    await bundle.write({ file: join(folder, "app.js"), format: "esm", compact: true });
    await bundle.close();
    return warnings;
  },
};

/** Their names. */
export const bundlers = Object.keys(BUNDLERS);

/** Builds with one bundler and runs the output in Chromium and in Node; the results of both. */
export async function runBundled(bundler, { project, base, filter }) {
  const folder = join(project, "out", bundler);
  const warnings = await BUNDLERS[bundler](join(project, "entries", "bundled.js"), folder, project);
  const built = {
    name: "build: without a warning",
    error: warnings.length === 0 ? null : warnings.join("\n"),
    ms: 0,
  };
  const bundle = join(folder, "app.js");
  const template = readFileSync(join(project, "entries", "bundled.html"), "utf8");
  writeFileSync(join(folder, "index.html"), template.replace("BUNDLE", "./app.js"));
  const shaken = await checkShaken((entry, into) => BUNDLERS[bundler](entry, into, project), {
    project,
    folder,
    minified: bundler !== "rollup",
  });
  const page = await runPage("chromium", {
    url: `${base}/out/${bundler}/index.html`,
    argument: { runtime: `${bundler}-chromium`, base, filter, env: {} },
  });
  const program = [...commandOf("node-24"), "entries/bundled-process.mjs"];
  const words = [bundle, `${bundler}-node`, base, filter];
  const node = await runProgram([...program, ...words], project);
  return [
    built,
    ...shaken,
    ...page.map((result) => ({ ...result, name: `in Chromium: ${result.name}` })),
    ...node.map((result) => ({ ...result, name: `in Node: ${result.name}` })),
  ];
}
