// Every snippet of the package's README runs, on each runtime that has processes.
//
// A fenced block in js or ts is a program, unless the line before it says `<!-- needs: .. -->`:
// what follows there is put in front of the block (names that the text around it explains).
// Hosts named example.com are the laboratory's own server, which answers them with JSON.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import { bundleWorker, withMiniflare } from "./runtimes/workerd.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

const BLOCK = /(?:<!-- needs: (?<needs>[^]*?) -->\n)?```(?<language>js|ts|mjs|cjs|javascript|typescript|html)(?: (?<label>[^\n]*))?\n(?<code>[^]*?)\n```/g;
const RUNTIMES = ["node-20", "node-24", "deno", "bun"];

/** The snippets of a text, each with the line it starts at. */
export function snippets(text) {
  return [...text.matchAll(BLOCK)].map(({ index, groups }) => {
    return { ...groups, line: text.slice(0, index).split("\n").length };
  });
}

/** Runs every snippet of the installed package's README. */
export async function checkReadme({ project, base }) {
  const text = readFileSync(join(project, "node_modules", "redress", "README.md"), "utf8");
  const folder = join(project, "readme");
  mkdirSync(folder, { recursive: true });
  const found = snippets(text).filter(({ language }) => language !== "html");
  const results = [{ name: "the README has snippets", error: found.length > 3 ? null : `only ${found.length}` }];
  for (const { language, code, needs = "", line } of found) {
    const source = `${needs}\n${code}`.replaceAll(/https:\/\/[a-z.]*example\.(com|org|net)/g, `${base}/example`);
    const isWorker = /export default \{/.test(code);
    const isCommon = language === "cjs" || (/\brequire\(/.test(code) && !/^import /m.test(code));
    const file = join(folder, `line-${line}.${isCommon ? "cjs" : "mjs"}`);
    try {
      const target = "es2022";
      const compiled = await transform(source, { loader: language.startsWith("t") ? "ts" : "js", target });
      writeFileSync(file, compiled.code);
    } catch (error) {
      results.push({ name: `README line ${line} compiles`, error: error.message });
      continue;
    }
    if (isWorker) {
      results.push({ name: `README line ${line} answers in workerd`, error: await answers(file, project) });
      continue;
    }
    for (const runtime of RUNTIMES) {
      const { code: exit, stdout, stderr } = await run([...commandOf(runtime), file], { cwd: project, limitMs: 30_000 });
      const error = exit === 0 ? null : `exit code ${exit}\n${stdout}${stderr}`;
      results.push({ name: `README line ${line} runs on ${runtime}`, error });
    }
  }
  return results;
}

async function answers(file, project) {
  try {
    const modules = await bundleWorker(file, { project });
    return await withMiniflare({ modules }, async (miniflare) => {
      const response = await miniflare.dispatchFetch("http://worker.test/");
      return response.status < 500 || response.headers.has("retry-after") ? null : `${response.status} ${await response.text()}`;
    });
  } catch (error) {
    return String(error.stack);
  }
}
