// The code that the page writes: TypeScript and Rust compile, and come to the same policies.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle } from "../build.mjs";

const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
/** The crates are there, and the toolchain that they are built with. */
const REPOSITORY = process.env.REDRESS_REPOSITORY ?? join(HERE, "..", "..");
/** Inside of the example, so that the installed package is found from there. */
const CODE = join(HERE, "dist", "code");
/** What Rust prints of a delay without an end. */
const LONGEST = "18446744073709.551615s";
let samples;

before(async () => {
  rmSync(CODE, { recursive: true, force: true });
  await bundle(CODE, { samples: "test/samples.ts" });
  ({ samples } = await import(pathToFileURL(join(CODE, "samples.js"))));
});
after(() => rmSync(CODE, { recursive: true, force: true }));

/** Runs a program; what it prints is part of the error if it fails. */
function run(command, words, options = {}) {
  try {
    return execFileSync(command, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
  } catch (error) {
    throw new Error(`${command} ${words.join(" ")}\n${error.stdout}${error.stderr}`);
  }
}

test("the page's own code and what it writes are right by TypeScript", () => {
  for (const { name, typescript } of samples) writeFileSync(join(CODE, `${name}.ts`), typescript);
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  run(process.execPath, [tsc, "-p", HERE]);
  const base = {
    strict: true,
    module: "esnext",
    moduleResolution: "bundler",
    target: "es2022",
    noEmit: true,
    types: [],
  };
  writeFileSync(join(CODE, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...base, lib: ["es2023", "dom"] } }));
  run(process.execPath, [tsc, "-p", CODE]);
});

test("the TypeScript comes to the values of the policy", async () => {
  const { show } = await import("redress/lint");
  for (const { name, typescript, shown } of samples) {
    const file = join(CODE, `${name}.mjs`);
    // It has no types of its own.
    writeFileSync(file, typescript);
    const { upstream } = await import(pathToFileURL(file));
    assert.equal(show(upstream, "upstream"), shown, typescript);
  }
});

test("the Rust compiles without a warning, and comes to the same values", () => {
  const target = resolve(REPOSITORY, process.env.CARGO_TARGET_DIR ?? "target", "playground");
  const crate = join(target, "crate");
  mkdirSync(join(crate, "src"), { recursive: true });
  const core = JSON.stringify(join(REPOSITORY, "core"));
  const manifest = `[package]\nname = "playground-code"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\nredress = { path = ${core}, features = ["std"] }\n\n[workspace]\n`;
  writeFileSync(join(crate, "Cargo.toml"), manifest);
  // The versions of the workspace: nothing is fetched anew.
  cpSync(join(REPOSITORY, "Cargo.lock"), join(crate, "Cargo.lock"));
  for (const { name, rust } of samples) writeFileSync(join(crate, "src", `${name}.rs`), rust);
  const shows = samples.map(
    ({ name }) => `    print!("{}\\0", redress::lint::show(&${name}::UPSTREAM.config(), "upstream"));\n`,
  );
  const modules = samples.map(({ name }) => `mod ${name};\n`).join("");
  writeFileSync(
    join(crate, "src", "main.rs"),
    `#![deny(warnings)]\n#![allow(dead_code)]\n\n${modules}\nfn main() {\n${shows.join("")}}\n`,
  );
  const words = ["run", "--quiet", "--manifest-path", join(crate, "Cargo.toml"), "--target-dir", target];
  const printed = run("cargo", words, { cwd: REPOSITORY }).split("\0");
  for (const [nth, { rust, shown }] of samples.entries()) {
    // A handler of sleeps is no part of a policy in Rust, and a strategy with a memory is printed by its name there. The
    // longest delay in JavaScript is the most that its numbers hold.
    const named = shown.replace("  sleep: None\n", "").replace(/(?<=: adaptive)\(.*\)$/gm, "");
    const same = named.replace("9007199254.740992s", LONGEST);
    assert.equal(printed[nth], same, rust);
  }
});
