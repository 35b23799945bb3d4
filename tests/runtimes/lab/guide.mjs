// The guide, whose pages are core/guide, and the README at the top of the tree: each has a program in Rust, which is a doctest, and one in TypeScript or JavaScript, which
// runs here on each runtime with processes. What a line prints stands behind it as a comment: `console.log(value); // 7`.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { transform } from "esbuild";
import { REPOSITORY } from "./consumer.mjs";
import { snippets } from "./readme.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

const GUIDE = join(REPOSITORY, "core", "guide");
const RUNTIMES = ["node-20", "node-24", "deno", "bun"];
/** What is no page of its own: the list of them, and the links that rustdoc gets. */
const NO_PAGES = ["README.md", "links.md"];

/** Runs every snippet of the guide. */
export async function checkGuide({ project, base }) {
  const folder = join(project, "guide");
  mkdirSync(folder, { recursive: true });
  const pages = readdirSync(GUIDE).filter((name) => name.endsWith(".md") && !NO_PAGES.includes(name));
  const results = [{ name: "the guide has pages", error: pages.length > 15 ? null : `only ${pages.length}` }];
  for (const page of [...pages, "../../README.md"]) {
    const text = readFileSync(join(GUIDE, page), "utf8");
    const found = snippets(text);
    const both = found.length > 0 && /^```rust$/m.test(text);
    results.push({ name: `${page} has a program in both languages`, error: both ? null : "one is missing" });
    for (const { code, language, line } of found) {
      const name = `${page}, line ${line}`;
      const source = code.replaceAll("https://api.example.com", `${base}/example`);
      const file = join(folder, `${basename(page)}-${line}.mjs`);
      const { code: compiled } = await transform(source, { loader: language, target: "es2022" });
      writeFileSync(file, compiled);
      const said = [...code.matchAll(/console\.log\(.*\/\/ (.+)$/gm)].map(([, said]) => `${said}\n`).join("");
      results.push({ name: `${name} says what it prints`, error: said === "" ? "nothing is said" : null });
      for (const runtime of RUNTIMES) {
        const { code: exit, stdout, stderr } = await run([...commandOf(runtime), file], { cwd: project });
        const right = exit === 0 && stdout === said;
        const error = right ? null : `exit code ${exit}, printed:\n${stdout}${stderr}\nsaid:\n${said}`;
        results.push({ name: `${name} prints what it says on ${runtime}`, error });
      }
    }
  }
  results.push(...namesAreThoseOfTheTypes(project));
  return results;
}

/** The tables of events and stop reasons have the names of the package's types, and no others. */
function namesAreThoseOfTheTypes(project) {
  const types = readFileSync(join(project, "node_modules", "redress", "dist", "esm", "types.d.ts"), "utf8");
  const [, events, reasons] = readFileSync(join(GUIDE, "events.md"), "utf8").split(/^## .*$/m);
  return Object.entries({ EventName: events, StopReason: reasons }).map(([type, table]) => {
    const [, union] = new RegExp(`export type ${type} =([^;]*);`).exec(types) ?? [];
    const named = [...(union ?? "").matchAll(/"(\w+)"/g)].map(([, name]) => name);
    const rows = [...table.matchAll(/^\| `?(\w+)`? \|/gm)].map(([, name]) => name).filter((name) => name !== "event");
    const same = named.length > 5 && named.sort().join() === rows.sort().join();
    return { name: `events.md has a row for each ${type}`, error: same ? null : `${named}\nbut the table has ${rows}` };
  });
}
