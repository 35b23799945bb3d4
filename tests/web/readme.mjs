// The snippets of the README of redress-web, each in a fresh crate that has what the lines before it add; and the examples in
// the documentation of its functions, all in one.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HERE, ROOT, spawnCargo } from "./build.mjs";

const CRATE = join(ROOT, "wasm", "web");
const LOCAL = { redress: join(ROOT, "core"), "redress-web": CRATE };

export async function checkReadme({ folder }) {
  const crates = snippets(readFileSync(join(CRATE, "README.md"), "utf8"));
  // With what the first of them adds.
  crates.push({ name: "documentation", additions: crates[0].additions, modules: examples() });
  const place = join(folder, "readme");
  for (const one of crates) write(place, one);
  const members = crates.map(({ name }) => JSON.stringify(name)).join(", ");
  // By the profile of the programs, so that what both use is compiled once.
  const [profile] = readFileSync(join(HERE, "Cargo.toml"), "utf8").match(/^\[profile.release\][^]*/m);
  writeFileSync(join(place, "Cargo.toml"), `[workspace]\nresolver = "3"\nmembers = [${members}]\n${profile}`);
  copyFileSync(join(HERE, "Cargo.lock"), join(place, "Cargo.lock"));
  // A new machine has only what other builds have downloaded.
  const fetched = await spawnCargo(["fetch", "--quiet"], place);
  if (fetched.status !== 0) throw new Error(`cargo fetch: ${fetched.stderr}`);
  const results = [];
  for (const { name } of crates) {
    results.push({ name: `${name} compiles without a warning`, error: await check(place, name) });
  }
  const count = crates.at(-1).modules.length;
  results.push({ name: "the documentation has examples", error: count > 3 ? null : `only ${count}` });
  return results;
}

/** Each block of Rust, with the lines of the block of sh before it. */
function snippets(text) {
  const blocks = text.matchAll(/```sh\n(?<additions>[^`]*)```\n\n```rust\n(?<code>[^]*?)\n```/g);
  return [...blocks].map(({ groups }, nth) => {
    return { name: `snippet-${nth + 1}`, additions: groups.additions, modules: [groups.code] };
  });
}

/** The blocks in comments of the source, with the lines that documentation hides. */
function examples() {
  const source = join(CRATE, "src");
  const files = readdirSync(source, { recursive: true }).filter((file) => file.endsWith(".rs"));
  const block = /^ *\/\/\/ ```\n(?<lines>(?: *\/\/\/.*\n)*?) *\/\/\/ ```$/gm;
  return files.flatMap((file) => {
    const found = readFileSync(join(source, file), "utf8").matchAll(block);
    return [...found].map(({ groups }) => groups.lines.replace(/^ *\/\/\/ ?(# ?)?(?!\[)/gm, ""));
  });
}

/** `cargo add NAME --features A,B` as a line of a manifest. */
function dependency(line) {
  const [, , name, , features] = line.split(/\s+/);
  const from = name in LOCAL ? `path = ${JSON.stringify(LOCAL[name])}` : 'version = "*"';
  return `${name} = { ${from}, features = ${JSON.stringify(features?.split(",") ?? [])} }`;
}

function write(place, { name, additions, modules }) {
  mkdirSync(join(place, name, "src"), { recursive: true });
  const lines = additions.split("\n").filter((line) => line !== "");
  const manifest = `[package]\nname = "${name}"\nedition = "2024"\n[dependencies]\n${lines.map(dependency).join("\n")}\n`;
  writeFileSync(join(place, name, "Cargo.toml"), manifest);
  // What a program has for itself alone, its neighbours cannot see.
  const isProgram = modules.length === 1;
  const source = isProgram
    ? modules[0]
    : modules.map((code, nth) => `#[allow(dead_code)]\nmod example${nth} {\n${code}}`).join("\n");
  writeFileSync(join(place, name, "src", "lib.rs"), source);
}

/** What cargo says of a crate that does not compile in silence, or null. */
async function check(place, name) {
  const words = ["build", "--quiet", "--offline", "--release", "--target", "wasm32-unknown-unknown", "-p", name];
  const { status, stderr } = await spawnCargo(words, place);
  return status === 0 && stderr === "" ? null : stderr || `exit code ${status}`;
}
