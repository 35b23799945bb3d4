// Builds the npm package into dist/: the core as WebAssembly, ES modules, CommonJS and types.

import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const DIST = join(HERE, "dist");
const ENTRIES = ["index", "testing", "durable", "decorators", "lint"];
/** The modules: what they are compiled from, who takes them, and which entries need them. */
const MODULES = [
  { crate: "redress-wasm", wasm: "core.wasm", prefix: "", provide: "provide", from: "./core.js", entries: ENTRIES },
  { crate: "redress-wasm-lint", wasm: "lint.wasm", prefix: "lint-", provide: "provideLinter", from: "./linter.js", entries: ["lint"] },
];
/** Room for the largest budget on the stack while it is made. */
const STACK_BYTES = 262_144;

function run(command, ...words) {
  // No path of the machine that builds is published.
  const remapped = `--remap-path-prefix=${process.env.CARGO_HOME ?? join(homedir(), ".cargo")}=/cargo`;
  const RUSTFLAGS = `-C link-arg=-zstack-size=${STACK_BYTES} ${remapped} --remap-path-prefix=${ROOT}=/redress`;
  const env = { ...process.env, RUSTFLAGS };
  execFileSync(command, words, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] });
}

const tool = (name) => join(HERE, "node_modules", ".bin", name);

/** Compiles a crate to an optimised module. */
function compile(crate, output) {
  const target = "wasm32-unknown-unknown";
  // Not in the manifest: a host's linker does not take the names of defmt's symbols.
  const library = ["-p", crate, "--lib", "--crate-type", "cdylib"];
  run("cargo", "rustc", "--quiet", "--locked", "--profile", "wasm", "--target", target, ...library);
  const folder = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");
  const built = join(folder, target, "wasm", `${crate.replaceAll("-", "_")}.wasm`);
  run(tool("wasm-opt"), "-Oz", "--converge", "--strip-debug", "--strip-producers", "-o", output, built);
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

installTarget("wasm32-unknown-unknown");
rmSync(DIST, { recursive: true, force: true });
const esm = join(DIST, "esm");
const cjs = join(DIST, "cjs");
for (const folder of [esm, cjs]) mkdirSync(join(folder, "entry"), { recursive: true });

for (const { crate, wasm } of MODULES) compile(crate, join(DIST, wasm));
run(tool("tsc"), "--project", join(HERE, "tsconfig.json"));

for (const { wasm, prefix, provide, from } of MODULES) {
  // As digits: a server's compression makes less of it than of base64, whose letters cut bytes apart.
  const text = readFileSync(join(DIST, wasm)).toString("hex");
  writeFileSync(
    join(esm, `${prefix}inline.js`),
    `import { ${provide} } from "${from}";
const text = "${text}";
${provide}(() => new WebAssembly.Module(Uint8Array.from({ length: text.length / 2 }, (_, n) => parseInt(text.slice(2 * n, 2 * n + 2), 16))));
`,
  );
  for (const [name, path] of Object.entries({ workerd: `../${wasm}`, edge: `../${wasm}?module` })) {
    const provided = `import module from "${path}";\nimport { ${provide} } from "${from}";\n${provide}(() => module);\n`;
    writeFileSync(join(esm, `${prefix}${name}.js`), provided);
  }
}

const modules = readdirSync(esm).filter((name) => name.endsWith(".js") && !/\b(workerd|edge)\.js$/.test(name));
await build({
  entryPoints: modules.map((name) => join(esm, name)),
  outdir: cjs,
  format: "cjs",
  platform: "node",
  target: "node20",
  logLevel: "warning",
});
for (const name of readdirSync(esm).filter((name) => name.endsWith(".d.ts"))) cpSync(join(esm, name), join(cjs, name));
writeFileSync(join(cjs, "package.json"), `{ "type": "commonjs" }\n`);

for (const entry of ENTRIES.filter((name) => existsSync(join(esm, `${name}.js`)))) {
  const prefixes = MODULES.filter(({ entries }) => entries.includes(entry)).map(({ prefix }) => prefix);
  for (const [source, suffix] of [["inline", ""], ["workerd", ".workerd"], ["edge", ".edge"]]) {
    const imports = prefixes.map((prefix) => `import "../${prefix}${source}.js";\n`).join("");
    writeFileSync(join(esm, "entry", `${entry}${suffix}.js`), `${imports}export * from "../${entry}.js";\n`);
  }
  const requires = prefixes.map((prefix) => `require("../${prefix}inline.js");\n`).join("");
  const required = `"use strict";\n${requires}module.exports = require("../${entry}.js");\n`;
  writeFileSync(join(cjs, "entry", `${entry}.js`), required);
}

run(tool("tsc"), "--project", join(HERE, "cli", "tsconfig.json"));
chmodSync(join(DIST, "cli", "redress.js"), 0o755);

for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) cpSync(join(ROOT, license), join(HERE, license));
