// What the documents say: each snippet runs, each test that the table names is there, and types fit.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY, HERE as RUNTIMES } from "../../runtimes/lab/consumer.mjs";
import { snippets } from "../../runtimes/lab/readme.mjs";
import { run } from "../../runtimes/lab/runtimes/process.mjs";

const DOCUMENT = join(REPOSITORY, "wasm", "docs", "watching.md");

/** Runs every snippet of the document, in a folder from which the package and the libraries are found. */
export async function recipes({ folder, node }) {
  const found = snippets(readFileSync(DOCUMENT, "utf8"));
  const results = [{ name: "the document has snippets", error: found.length > 5 ? null : `only ${found.length}` }];
  for (const { code, line } of found) {
    const file = join(folder, `recipe-${line}.mjs`);
    writeFileSync(file, code);
    const {
      code: exit,
      stdout,
      stderr,
    } = await run([node, "--unhandled-rejections=strict", file], { cwd: folder, limitMs: 30_000 });
    results.push({
      name: `the snippet at line ${line} runs`,
      error: exit === 0 ? null : `exit code ${exit}\n${stdout}${stderr}`,
    });
  }
  return results;
}

/** Each test that the document's table names is one of the checks. */
export function table({ checks }) {
  const names = new Set();
  for (const file of readdirSync(checks)) {
    const text = readFileSync(join(checks, file), "utf8");
    for (const [, , name] of text.matchAll(/\btest\(\s*(["`])(.+?)\1,/g))
      names.add(`${file.replace(".test.mjs", "")}: ${name}`);
  }
  const lines = readFileSync(DOCUMENT, "utf8").split("## Beside redress for Python")[1].split("\n");
  const rows = lines.filter((line) => /^\| (?!Python|---)/.test(line));
  return rows.map((row) => {
    const [, python, , shown] = row.split("|");
    const [, named] = /`(.+: .+)`/.exec(shown) ?? [];
    return {
      name: `${python.trim()} is shown by a test`,
      error: names.has(named) ? null : `there is no test ${named}`,
    };
  });
}

/** The real types of the libraries are those that watchers take. */
export async function types({ folder }) {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    // Theirs are not checked here.
    skipLibCheck: true,
    target: "es2023",
    module: "nodenext",
    types: ["node"],
    typeRoots: [join(RUNTIMES, "node_modules", "@types")],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["types"] }));
  const tsc = join(RUNTIMES, "node_modules", "typescript", "bin", "tsc");
  const { code, stdout, stderr } = await run([process.execPath, tsc, "--project", "tsconfig.json"], { cwd: folder });
  return [{ name: "the libraries' own types fit", error: code === 0 ? null : stdout + stderr }];
}
