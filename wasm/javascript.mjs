// The JavaScript of the package, of the TypeScript in ts/: trees of small modules for bundlers and browsers, one bundle
// for Node, Deno and Bun, and the types; each file with a map to its source, which is published, too.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { entries } from "./manifest.mjs";
import { layout, placed, textOf } from "./modules.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, "dist");
const SOURCES = join(HERE, "ts");
/** Where the functions of the modules of WebAssembly are, in each tree. */
const FUNCTIONS = join("wasm", "modules");
const TARGET = "es2022";

/** How a module comes to the trees of each condition. */
const TREES = {
  esm: (name) => `import { moduleOf } from "../inline.js";
const text = ${JSON.stringify(textOf(wasm(name)))};
export const compiled = () => moduleOf(text);
`,
  workerd: (name) => `import module from "../../../${name}.wasm";\nexport const compiled = () => module;\n`,
  edge: (name) => `import module from "../../../${name}.wasm?module";\nexport const compiled = () => module;\n`,
};

/** How it comes to the bundle: every program starts the core, the others are read when they are first needed. */
const bundled = (name) => `import { moduleOf } from "../base64.js";
export const compiled = () => moduleOf(${name === "core" ? JSON.stringify(base64(name)) : `require("./${name}.base64.js")`});
`;

const wasm = (name) => readFileSync(join(DIST, `${name}.wasm`));
const base64 = (name) => wasm(name).toString("base64");

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Source without types and comments, which the types have; with a map if it has a file to refer to. */
async function compact(source, { file, from, ...options } = {}) {
  const map = from && { sourcemap: "external", sourcesContent: false, sourcefile: relative(dirname(file), from) };
  const tsconfigRaw = { compilerOptions: { target: TARGET, verbatimModuleSyntax: true } };
  return transform(source, { loader: "ts", format: "esm", target: TARGET, tsconfigRaw, ...map, ...options });
}

/** The functions of a module of WebAssembly, which call it by short names, and how it comes. */
async function functions({ name, glue, names }, form) {
  const mangleProps = new RegExp(`^(${Object.keys(names).join("|")})$`);
  return (await compact(glue + form(name), { loader: "js", mangleProps, mangleCache: names })).code;
}

/** Writes a tree of modules, each module of WebAssembly in the given form. */
async function writeTree(folder, form, { modules, end, printed }) {
  const sources = readdirSync(SOURCES, { recursive: true }).filter((name) => /(?<!\.d)\.ts$/.test(name));
  for (const name of sources) {
    const from = join(SOURCES, name);
    const file = join(folder, name.replace(/\.ts$/, ".js"));
    const { code, map } = await compact(readFileSync(from, "utf8"), { file, from, define: placed(end) });
    // Types alone.
    if (code.trim() === "") continue;
    write(file, `${code}//# sourceMappingURL=${basename(file)}.map\n`);
    write(`${file}.map`, map);
  }
  for (const module of modules) write(join(folder, FUNCTIONS, `${module.name}.js`), await functions(module, form));
  write(join(folder, FUNCTIONS, "layout.js"), (await compact(layout(end))).code);
  for (const [name, source] of printed) write(join(folder, FUNCTIONS, name), (await compact(source)).code);
}

/** In place of the functions of a tree, those with the modules in the bundle's form; all lines before that are the same. */
const withFunctions = (modules) => ({
  name: "the functions of modules",
  setup(esbuild) {
    const folder = join(DIST, "esm", FUNCTIONS);
    esbuild.onResolve({ filter: /\/\w+\.js$/ }, ({ path, resolveDir }) => {
      const isTheirs = dirname(join(resolveDir, path)) === join(SOURCES, FUNCTIONS);
      return isTheirs ? { path: join(folder, basename(path)) } : undefined;
    });
    esbuild.onLoad({ filter: /[\\/]wasm[\\/]modules[\\/]\w+\.js$/ }, async ({ path }) => {
      const module = modules.find(({ name }) => `${name}.js` === basename(path));
      if (module === undefined) return undefined;
      return { contents: await functions(module, bundled), resolveDir: join(SOURCES, FUNCTIONS), loader: "js" };
    });
  },
});

/** The folders of the second bundle, which programs load that name an entry of it. Whatever else it imports is the first bundle's. */
const AROUND = ["clients", "data", "queues", "servers", "shared", "watch"];

/** Whether an entry is of the second bundle. */
const isAround = (entry) => {
  const source = readFileSync(join(SOURCES, `${entry}.ts`), "utf8");
  return AROUND.some((folder) => source.includes(`from "./${folder}/`));
};

/** A module that has each of these entries under its name. */
const giving = (entries) => entries.map((entry) => `export * as ${entry} from "./${entry}.js";\n`).join("");

/** Has a bundle take modules of the first one from there; `taken` gets their paths. */
const fromFirst = (taken) => ({
  name: "modules of the first bundle",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
      const [folder, file] = relative(SOURCES, join(resolveDir, path)).split(sep);
      if (kind !== "import-statement" || file === undefined || AROUND.includes(folder)) return undefined;
      taken.add(`${folder}/${file}`);
      return { path: `${folder}/${file}`, namespace: "first" };
    });
    esbuild.onLoad({ filter: /./, namespace: "first" }, ({ path }) => ({
      contents: `module.exports = require("./redress.js").modules[${JSON.stringify(path)}];`,
      loader: "js",
    }));
  },
});

/** The modules of the first bundle that the second one takes, under their paths. */
function giveModules(taken) {
  const paths = [...taken].sort();
  const imports = paths.map((path, at) => `import * as m${at} from "./${path}";\n`).join("");
  const modules = paths.map((path, at) => `  ${JSON.stringify(path)}: m${at},\n`).join("");
  return `${imports}export const modules = {\n${modules}};\n`;
}

/** Writes CommonJS modules with everything, and for each entry two that give out a part of one: one state for both. */
async function writeBundles({ modules, end }) {
  const common = join(DIST, "cjs");
  for (const { name } of modules.filter(({ name }) => name !== "core"))
    write(join(common, `${name}.base64.js`), `module.exports = ${JSON.stringify(base64(name))};\n`);
  write(join(common, "package.json"), `{ "type": "commonjs" }\n`);
  const taken = new Set();
  const form = {
    bundle: true,
    format: "cjs",
    platform: "neutral",
    target: TARGET,
    sourcemap: true,
    sourcesContent: false,
    define: placed(end),
    external: ["*.base64.js", "./redress.js"],
    logLevel: "warning",
  };
  const source = (contents) => ({ contents, resolveDir: SOURCES, sourcefile: "entries.ts", loader: "ts" });
  const [around, first] = ["around.js", "redress.js"].map((name) => join(common, name));
  const stdin = source(giving(entries().filter(isAround)));
  await build({ ...form, stdin, outfile: around, plugins: [fromFirst(taken)] });
  // A module of the first bundle is where that has it from.
  const map = readFileSync(`${around}.map`, "utf8");
  write(`${around}.map`, map.replaceAll(/"first:(.*?)\.js"/g, '"../../ts/$1.ts"'));
  const own = giving(entries().filter((entry) => !isAround(entry)));
  const giver = source(own + giveModules(taken));
  await build({ ...form, stdin: giver, outfile: first, plugins: [withFunctions(modules)] });
  const load = createRequire(import.meta.url);
  for (const bundle of [first, around]) {
    const { modules: _, ...parts } = load(bundle);
    for (const [entry, part] of Object.entries(parts)) writeEntry(entry, Object.keys(part), basename(bundle));
  }
}

/** Writes what gives out an entry of a bundle, for `require` and for `import`. */
function writeEntry(entry, names, bundle) {
  const lines = names.map((name) => `exports.${name} = ${entry}.${name};\n`).join("");
  const marked = `Object.defineProperty(exports, "__esModule", { value: true });\n`;
  write(
    join(DIST, "cjs", `${entry}.js`),
    `"use strict";\n${marked}const { ${entry} } = require("./${bundle}");\n${lines}`,
  );
  const named = names.filter((name) => name !== "default");
  const all = `import all from "../cjs/${bundle}";\nexport const { ${named.join(", ")} } = all.${entry};\n`;
  const rest = named.length === names.length ? "" : `export default all.${entry}.default;\n`;
  write(join(DIST, "node", `${entry}.js`), all + rest);
}

/** Writes the types beside the modules of each format, and the command line. */
function writeTypes() {
  const types = join(DIST, "types");
  const tsc = (project) =>
    execFileSync(join(HERE, "node_modules", ".bin", "tsc"), ["--project", project], {
      stdio: ["ignore", "inherit", "inherit"],
    });
  tsc(join(HERE, "tsconfig.json"));
  for (const folder of ["esm", "cjs"]) cpSync(types, join(DIST, folder), { recursive: true });
  rmSync(types, { recursive: true });
  tsc(join(HERE, "cli", "tsconfig.json"));
}

/** Writes everything beside the modules of WebAssembly in dist/: of those, their functions, where they end, and what the core prints. */
export async function writeJavaScript(parts) {
  for (const [name, form] of Object.entries(TREES)) await writeTree(join(DIST, name), form, parts);
  await writeBundles(parts);
  writeTypes();
}
