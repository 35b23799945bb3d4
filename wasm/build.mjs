// Builds the npm package into dist/: modules of WebAssembly, JavaScript and types.

import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { writeJavaScript } from "./javascript.mjs";
import { writeManifest } from "./manifest.mjs";
import { checkFormatting, importsOf, layoutTypes, linked, MODULES, START, shortened } from "./modules.mjs";

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

/** What the core knows by its numbers, and its tables of codes and messages. */
const printed = ["names", "platform"].map((name) => [
  `${name}.js`,
  cargo(["run", "--quiet", "--locked", "-p", "redress-wasm-tables", "--bin", name]),
]);

await writeJavaScript({ modules, end, printed });
chmodSync(join(DIST, "cli", "redress.js"), 0o755);

writeManifest();
for (const file of ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"]) cpSync(join(ROOT, file), join(HERE, file));
