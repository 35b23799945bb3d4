// What the manifest says of each entry of the package, made of the list of entries in ts/entries.ts: the build writes it,
// and `prepack` refuses to publish what does not lead to a file.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const MANIFEST = join(HERE, "package.json");

/** The entries by the names of their modules; `index` is the package itself. */
export function entries() {
  const source = readFileSync(join(HERE, "ts", "entries.ts"), "utf8");
  const names = [...source.matchAll(/^export \* as (\w+) from "\.\/\1\.js";$/gm)].map(([, name]) => name);
  return ["index", ...names.filter((name) => name !== "index")];
}

/** An entry by condition: types, edges, bundlers, Node with Deno and Bun, and all else. */
function conditions(name) {
  return {
    types: { require: `./dist/cjs/${name}.d.ts`, default: `./dist/esm/${name}.d.ts` },
    workerd: `./dist/workerd/${name}.js`,
    "edge-light": `./dist/edge/${name}.js`,
    module: `./dist/esm/${name}.js`,
    node: { require: `./dist/cjs/${name}.js`, default: `./dist/node/${name}.js` },
    require: `./dist/cjs/${name}.js`,
    default: `./dist/esm/${name}.js`,
  };
}

/** The manifest with what it says of the entries, as text. */
function generated() {
  const manifest = JSON.parse(readFileSync(MANIFEST, "utf8"));
  const names = entries();
  const subpath = (name) => (name === "index" ? "." : `./${name}`);
  const exported = Object.fromEntries(names.map((name) => [subpath(name), conditions(name)]));
  manifest.exports = { ...exported, "./package.json": "./package.json" };
  // For TypeScript that reads no `exports`.
  const types = names.slice(1).map((name) => [name, [`./dist/cjs/${name}.d.ts`]]);
  manifest.typesVersions = { "*": Object.fromEntries(types) };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Writes into the manifest what it says of the entries. */
export function writeManifest() {
  const text = generated();
  if (text !== readFileSync(MANIFEST, "utf8")) writeFileSync(MANIFEST, text);
}

/** Why the package cannot be packed as it is; undefined if it can. */
function obstacle() {
  const build = "run `npm ci` and `npm run build` in wasm/ first";
  const text = readFileSync(MANIFEST, "utf8");
  const { bin, exports, files, main } = JSON.parse(text);
  const named = [main, ...Object.values(bin), ...leaves(exports), ...files.filter((path) => !path.includes("*"))];
  const missing = named.filter((path) => !existsSync(join(HERE, path)));
  if (missing.length > 0) return `${missing[0]} is not there, and ${missing.length - 1} others: ${build}`;
  return text === generated() ? undefined : `package.json is not as the entries in ts/entries.ts are: ${build}`;
}

function leaves(target) {
  return typeof target === "string" ? [target] : Object.values(target).flatMap(leaves);
}

// Run by npm, before it packs or publishes.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const why = obstacle();
  if (why !== undefined) console.error(`redress is not packed: ${why}.`);
  process.exitCode = why === undefined ? 0 : 1;
}
