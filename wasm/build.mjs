// Builds the npm package into dist/: modules of WebAssembly, ES modules, CommonJS and types.

import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import {
  checkFormatting,
  importsOf,
  layout,
  layoutTypes,
  linked,
  MODULES,
  placed,
  START,
  shortened,
  textOf,
} from "./modules.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const DIST = join(HERE, "dist");

function run(command, words, env = process.env) {
  execFileSync(command, words, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] });
}

const tool = (name) => join(HERE, "node_modules", ".bin", name);

const cargo = (words, env) =>
  execFileSync("cargo", words, { cwd: ROOT, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** Compiles a module that begins where those end that are there: the module, its functions for JavaScript and their types, and where it ends. */
function compile(module, begin) {
  const { name, crate, features = [], level, inlined, formats } = module;
  const target = "wasm32-unknown-unknown";
  // No path of the machine that builds is published.
  const remapped = [`${process.env.CARGO_HOME ?? join(homedir(), ".cargo")}=/cargo`, `${ROOT}=/redress`];
  const flags = [
    ...linked(module, begin).map((word) => `-Clink-arg=${word}`),
    ...remapped.map((paths) => `--remap-path-prefix=${paths}`),
  ];
  if (level !== undefined) flags.push(`-Copt-level=${level}`);
  if (inlined !== undefined) flags.push(`-Cllvm-args=-inline-threshold=${inlined}`);
  // Not in the manifest: a host's linker does not take the names of defmt's symbols.
  const library = ["-p", crate, "--lib", "--crate-type", "cdylib", "--features", features.join(",")];
  const words = ["rustc", "--quiet", "--locked", "--profile", "wasm", "--target", target, ...library];
  cargo(words, { ...process.env, RUSTFLAGS: flags.join(" ") });
  const folder = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");
  const built = join(folder, target, "wasm", `${crate.replaceAll("-", "_")}.wasm`);
  const bound = join(DIST, "bound");
  const end = JSON.parse(cargo(["run", "--quiet", "--locked", "-p", "redress-wasm-bind", "--", built, bound, name]));
  const text = (file) => readFileSync(join(bound, file), "utf8");
  const wasm = readFileSync(join(bound, `${name}_bg.wasm`));
  if (!formats) checkFormatting(wasm);
  const { bytes, names } = shortened(wasm);
  const output = join(DIST, `${name}.wasm`);
  writeFileSync(output, bytes);
  run(tool("wasm-opt"), [
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--converge",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "-o",
    output,
    output,
  ]);
  const glue = text(`${name}_bg.js`) + importsOf(readFileSync(output), `./${name}_bg.js`);
  return { name, glue, names, types: text(`${name}.d.ts`), end };
}

/** What the functions of each module come with, besides their types. */
const STARTING = `
export function compiled(): object;
export function imports(shared?: object): Record<string, any>;
export function __wbg_set_wasm(exports: object): void;
`;

/** Lets rustup fetch the targets of rust-toolchain.toml, unless they are there. */
function installTarget(target) {
  // Under `cargo run` the environment names the toolchain; then the file is not read.
  const { RUSTUP_TOOLCHAIN: _, ...env } = process.env;
  const rustup = (words, stdio) => execFileSync("rustup", words, { cwd: ROOT, env, encoding: "utf8", stdio });
  const installed = rustup(["target", "list", "--installed"], ["ignore", "pipe", "inherit"]);
  if (!installed.split("\n").includes(target)) {
    rustup(["toolchain", "install", "--no-self-update"], ["ignore", "inherit", "inherit"]);
  }
}

/** How a module comes to the package under each condition. */
const FORMS = {
  esm: (name) => `import { moduleOf } from "../inline.js";
const text = ${JSON.stringify(textOf(readFileSync(join(DIST, `${name}.wasm`))))};
export const compiled = () => moduleOf(text);
`,
  workerd: (name) => `import module from "../../../${name}.wasm";\nexport const compiled = () => module;\n`,
  edge: (name) => `import module from "../../../${name}.wasm?module";\nexport const compiled = () => module;\n`,
};

installTarget("wasm32-unknown-unknown");
rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);
let end = START;
const modules = [];
for (const module of MODULES) {
  modules.push(compile(module, end));
  if (module.shares) ({ end } = modules.at(-1));
}
rmSync(join(DIST, "bound"), { recursive: true });
for (const { name, types } of modules)
  writeFileSync(join(HERE, "ts", "wasm", "modules", `${name}.d.ts`), types + STARTING);

writeFileSync(join(HERE, "ts", "wasm", "modules", "layout.d.ts"), layoutTypes(end));

/** The core's tables of codes, messages and names. */
const tables = cargo(["run", "--quiet", "--locked", "-p", "redress-wasm-tables", "--bin", "platform"]);

/** A module as it is published: without comments, which its types have. */
async function compact(code, format, options = {}) {
  return (await transform(code, { format, target: "es2022", ...options })).code;
}

/** The functions of a module of WebAssembly, which call it by short names, and how it comes. */
async function functions({ name, glue, names }, form, format) {
  const mangleProps = new RegExp(`^(${Object.keys(names).join("|")})$`);
  return compact(glue + form(name), format, { mangleProps, mangleCache: names });
}

// One tree of modules for each condition: only how WebAssembly comes differs, and nothing has
// a side effect, so that a bundle holds what its program uses.
const typed = join(DIST, "types");
run(tool("tsc"), ["--project", join(HERE, "tsconfig.json")]);
const files = readdirSync(typed, { recursive: true });
const sources = files
  .filter((name) => name.endsWith(".js"))
  .map((name) => [name, readFileSync(join(typed, name), "utf8")]);

/** Writes a tree of modules in a format, each module of WebAssembly in the given form. */
async function tree(name, form, format) {
  const write = (path, code) => {
    const file = join(DIST, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  };
  for (const [path, code] of sources) write(path, await compact(code, format, { define: placed(end) }));
  for (const module of modules)
    write(join("wasm", "modules", `${module.name}.js`), await functions(module, form, format));
  write(join("wasm", "modules", "layout.js"), await compact(layout(end), format));
  write(join("wasm", "modules", "platform.js"), await compact(tables, format));
}

for (const [name, form] of Object.entries(FORMS)) await tree(name, form, "esm");
// CommonJS has the inlined form.
await tree("cjs", FORMS.esm, "cjs");
writeFileSync(join(DIST, "cjs", "package.json"), `{ "type": "commonjs" }\n`);
for (const name of files.filter((name) => name.endsWith(".d.ts"))) {
  for (const folder of ["esm", "cjs"]) cpSync(join(typed, name), join(DIST, folder, name));
}
rmSync(typed, { recursive: true });

run(tool("tsc"), ["--project", join(HERE, "cli", "tsconfig.json")]);
chmodSync(join(DIST, "cli", "redress.js"), 0o755);

for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) cpSync(join(ROOT, license), join(HERE, license));
