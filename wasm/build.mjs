// Builds the npm package into dist/: modules of WebAssembly, ES modules, CommonJS and types.

import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { LONG, MODULES, checkLayout, published, textOf } from "./modules.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const DIST = join(HERE, "dist");

function run(command, words, env = process.env) {
  execFileSync(command, words, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] });
}

const tool = (name) => join(HERE, "node_modules", ".bin", name);

/** The short names of what modules export. */
const names = {};

/** Compiles a module to dist/; where its data end. */
function compile({ name, crate, features = [], level, formats, link }) {
  const target = "wasm32-unknown-unknown";
  // No path of the machine that builds is published.
  const remapped = [`${process.env.CARGO_HOME ?? join(homedir(), ".cargo")}=/cargo`, `${ROOT}=/redress`];
  const flags = [...link.map((word) => `-Clink-arg=${word}`), ...remapped.map((paths) => `--remap-path-prefix=${paths}`)];
  if (level !== undefined) flags.push(`-Copt-level=${level}`);
  // Not in the manifest: a host's linker does not take the names of defmt's symbols.
  const library = ["-p", crate, "--lib", "--crate-type", "cdylib", "--features", features.join(",")];
  const words = ["rustc", "--quiet", "--locked", "--profile", "wasm", "--target", target, ...library];
  run("cargo", words, { ...process.env, RUSTFLAGS: flags.join(" ") });
  const folder = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");
  const built = join(folder, target, "wasm", `${crate.replaceAll("-", "_")}.wasm`);
  const output = join(DIST, `${name}.wasm`);
  const { bytes, end } = published(readFileSync(built), names, formats);
  writeFileSync(output, bytes);
  run(tool("wasm-opt"), ["--flatten", "--rereloop", "-Oz", "-Oz", "--converge", "--strip-debug", "--strip-producers", "-o", output, output]);
  return end;
}

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
  workerd: (name) => `import module from "../../${name}.wasm";\nexport const compiled = () => module;\n`,
  edge: (name) => `import module from "../../${name}.wasm?module";\nexport const compiled = () => module;\n`,
};

installTarget("wasm32-unknown-unknown");
rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);
checkLayout(Object.fromEntries(MODULES.map((module) => [module.name, compile(module)])));

/** The core's tables of codes, messages and names. */
const tables = execFileSync("cargo", ["run", "--quiet", "--locked", "-p", "redress-wasm-tables", "--bin", "platform"], { cwd: ROOT, encoding: "utf8" });

/** A module as it is published: without comments, which its types have, and with the short names. */
async function compact(code, format) {
  return (await transform(code, { format, target: "es2022", mangleProps: LONG, mangleCache: names })).code;
}

// One tree of modules for each condition: only how WebAssembly comes differs, and nothing has
// a side effect, so that a bundle holds what its program uses.
const typed = join(DIST, "types");
run(tool("tsc"), ["--project", join(HERE, "tsconfig.json")]);
const files = readdirSync(typed);
const sources = Object.fromEntries(files.filter((name) => name.endsWith(".js")).map((name) => [name, readFileSync(join(typed, name), "utf8")]));
for (const [tree, form] of Object.entries(FORMS)) {
  const folder = join(DIST, tree);
  mkdirSync(join(folder, "modules"), { recursive: true });
  for (const [name, code] of Object.entries(sources)) writeFileSync(join(folder, name), await compact(code, "esm"));
  for (const { name } of MODULES) writeFileSync(join(folder, "modules", `${name}.js`), form(name));
  writeFileSync(join(folder, "modules", "platform.js"), await compact(tables, "esm"));
}
// CommonJS has the inlined form.
const cjs = join(DIST, "cjs");
mkdirSync(join(cjs, "modules"), { recursive: true });
for (const [name, code] of Object.entries(sources)) writeFileSync(join(cjs, name), await compact(code, "cjs"));
for (const { name } of MODULES) writeFileSync(join(cjs, "modules", `${name}.js`), await compact(FORMS.esm(name), "cjs"));
writeFileSync(join(cjs, "modules", "platform.js"), await compact(tables, "cjs"));
writeFileSync(join(cjs, "package.json"), `{ "type": "commonjs" }\n`);
for (const name of files.filter((name) => name.endsWith(".d.ts"))) {
  for (const folder of ["esm", "cjs"]) cpSync(join(typed, name), join(DIST, folder, name));
}
rmSync(typed, { recursive: true });

run(tool("tsc"), ["--project", join(HERE, "cli", "tsconfig.json")]);
chmodSync(join(DIST, "cli", "redress.js"), 0o755);

for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) cpSync(join(ROOT, license), join(HERE, license));
