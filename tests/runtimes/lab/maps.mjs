// Maps from what is published to its TypeScript, as an installed package has them.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";

/** What has no source in TypeScript: what the build itself writes. */
const GENERATED = [
  // The functions of modules of WebAssembly, and the core's tables.
  /^dist\/(esm|workerd|edge)\/wasm\/modules\/\w+\.js$/,
  // Modules as base64, and what gives the parts of the bundle out.
  /^dist\/cjs\/\w+\.base64\.js$/,
  /^dist\/(cjs|node)\/(?!redress)\w+\.js$/,
];

/** Whether every file has a map, and every map leads to files of the package and no others. */
export function checkMaps(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((path) => path.startsWith("dist/"));
  const mapped = files.filter((path) => /\.(js|d\.ts)$/.test(path) && !GENERATED.some((form) => form.test(path)));
  const bare = mapped.filter((path) => !hasMap(folder, path));
  const wrong = files.filter((path) => path.endsWith(".map")).flatMap((path) => wrongSources(folder, path));
  return [
    {
      name: "every file of TypeScript has a map",
      error: mapped.length > 100 && bare.length === 0 ? null : `of ${mapped.length}:\n${bare.join("\n")}`,
    },
    { name: "every map leads to a source in the package", error: wrong.length === 0 ? null : wrong.join("\n") },
  ];
}

function hasMap(folder, path) {
  const [, map] = /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(join(folder, path), "utf8")) ?? [];
  return map !== undefined && existsSync(join(folder, dirname(path), map));
}

function wrongSources(folder, path) {
  const { sources, sourceRoot = "", sourcesContent } = JSON.parse(readFileSync(join(folder, path), "utf8"));
  const wrong = sources.filter((source) => {
    const file = join(folder, dirname(path), source);
    return isAbsolute(source) || relative(folder, file).startsWith("..") || !existsSync(file);
  });
  const problems = wrong.map((source) => `${path}: ${source}`);
  if (sources.length === 0) problems.push(`${path}: no source`);
  if (sourceRoot !== "") problems.push(`${path}: sourceRoot ${sourceRoot}`);
  if (sourcesContent !== undefined) problems.push(`${path}: it holds the sources, which the package has`);
  return problems;
}
