// Every snippet of the package's README, and of its page for those who come from another library, runs where it says that it does.
//
// A fenced block in js, ts or html is a program. The word after the language says for what: `deno`, `bun` or `node`, `browser`
// (bundled, in Chromium), `vercel` (its conditions, in workerd), `peer` (another library's, beside which ours stands); without
// one it runs on each runtime that has processes, or in workerd if it exports a worker. A page runs in Chromium and Firefox.
// What the line before it says as `<!-- needs: .. -->` is put in front of it. Hosts named example.com are the laboratory's own
// server, which answers them with JSON.

import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, transform } from "esbuild";
import { HERE, importMap, REPOSITORY } from "./consumer.mjs";
import { openChromium, openFirefox } from "./runtimes/browsers.mjs";
import { commandOf, run } from "./runtimes/process.mjs";
import { bundleWorker, withMiniflare } from "./runtimes/workerd.mjs";

const BLOCK =
  /(?:<!-- needs: (?<needs>[^]*?) -->\n)?```(?<language>js|ts|mjs|cjs|javascript|typescript|html)(?: (?<label>[^\n]*))?\n(?<code>[^]*?)\n```/g;
/** The page of pairs. */
export const PAIRED = join(REPOSITORY, "wasm", "docs", "coming-from.md");
const RUNTIMES = ["node-20", "node-24", "deno", "bun"];
const LABELS = ["deno", "bun", "node", "browser", "vercel", "peer"];

/** The snippets of a text, each with the line it starts at. */
export function snippets(text) {
  return [...text.matchAll(BLOCK)].map(({ index, groups }) => {
    return { ...groups, line: text.slice(0, index).split("\n").length };
  });
}

/** A folder of the project whose programs find other libraries, which are not installed there, and the package. */
export function borrowPeers(folder) {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, "node_modules"))) symlinkSync(join(HERE, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Runs every snippet of the installed package's README, and of the page of pairs. */
export async function checkReadme({ project, base }) {
  const text = readFileSync(join(project, "node_modules", "redress", "README.md"), "utf8");
  const folder = join(project, "readme");
  const peers = borrowPeers(join(folder, "peers"));
  const found = snippets(text);
  const paired = snippets(readFileSync(PAIRED, "utf8")).map((snippet) => ({ ...snippet, page: "coming-from.md" }));
  const results = [{ name: "the README has snippets", error: found.length > 3 ? null : `only ${found.length}` }];
  for (const snippet of [...found, ...paired]) {
    const { code, needs = "", label } = snippet;
    const source = `${needs}\n${code}`.replaceAll(/https:\/\/[a-z.]*example\.(com|org|net)/g, `${base}/example`);
    const name = `${snippet.page ?? "README"} line ${snippet.line}`;
    const unknown = label !== undefined && !LABELS.includes(label);
    const all = unknown
      ? { "has a known label": `${label} is none of ${LABELS.join(", ")}` }
      : await played({ ...snippet, source }, { project, base, folder, peers });
    for (const [what, error] of Object.entries(all)) results.push({ name: `${name} ${what}`, error });
  }
  results.push(...(await checkFirst(found[0], { project, base, folder })));
  return results;
}

/** What follows after three failures: an answer. */
const FAILURES = { "answers 503": "503", "resets the connection": "reset" };

/** The README's first program, as it stands, in a fresh process: it takes the answer to its fourth attempt. */
async function checkFirst({ code }, { project, base, folder }) {
  const results = [];
  for (const runtime of RUNTIMES) {
    for (const [what, step] of Object.entries(FAILURES)) {
      const url = `${base}/flaky/first-${runtime}-${step}?script=${step},${step},${step},json`;
      const file = join(folder, "first.mjs");
      writeFileSync(file, code.replace("https://api.example.com/items", url));
      const { code: exit, stdout, stderr } = await run([...commandOf(runtime), file], { cwd: project });
      const right = exit === 0 && /answered: 200/.test(stdout);
      results.push({
        name: `readme: the first program has the answer to its fourth attempt where the server ${what} three times, on ${runtime}`,
        error: right ? null : `exit code ${exit}\n${stdout}${stderr}`,
      });
    }
  }
  return results;
}

/** Runs one snippet wherever it belongs: what it does, and why not. */
async function played({ language, label, code, source, line }, { project, base, folder, peers }) {
  if (language === "html") return shown(source, { project, base, name: `line-${line}` });
  const isCommon = language === "cjs" || (/\brequire\(/.test(code) && !/^import /m.test(code));
  const file = join(label === "peer" ? peers : folder, `line-${line}.${isCommon ? "cjs" : "mjs"}`);
  try {
    const compiled = await transform(source, { loader: language.startsWith("t") ? "ts" : "js", target: "es2022" });
    writeFileSync(file, compiled.code);
  } catch (error) {
    return { compiles: error.message };
  }
  if (label === "browser")
    return { "runs in Chromium, bundled": await runsBundled(file, { project, base, name: `line-${line}` }) };
  if (label === "vercel")
    return { "answers by the conditions of Vercel's edge": await answersAtEdge(file, { project, line }) };
  if (/export default \{/.test(code)) return { "answers in workerd": await answers(file, { project }) };
  const labelled = { peer: ["node-24"], node: ["node-20", "node-24"] };
  const runtimes = label === undefined ? RUNTIMES : (labelled[label] ?? [label]);
  const results = {};
  for (const runtime of runtimes) {
    const { code: exit, stdout, stderr } = await run([...commandOf(runtime), file], { cwd: project, limitMs: 30_000 });
    results[`runs on ${runtime}`] = exit === 0 ? null : `exit code ${exit}\n${stdout}${stderr}`;
  }
  return results;
}

/** Whether a worker answers; one with the Durable Object has its namespace. */
async function answers(file, { project, conditions }) {
  try {
    const modules = await bundleWorker(file, { project, conditions });
    const isBound = readFileSync(file, "utf8").includes("RedressState");
    const bindings = isBound ? { durableObjects: { BREAKERS: "RedressState" } } : {};
    return await withMiniflare({ modules, ...bindings }, async (miniflare) => {
      const response = await miniflare.dispatchFetch("http://worker.test/");
      return response.ok ? null : `${response.status} ${await response.text()}`;
    });
  } catch (error) {
    return String(error.stack);
  }
}

async function answersAtEdge(_file, { project, line }) {
  const worker = join(project, "readme", `line-${line}.worker.mjs`);
  writeFileSync(
    worker,
    `import { GET } from "./line-${line}.mjs";\nexport default { fetch: (request) => GET(request) };\n`,
  );
  return answers(worker, { project, conditions: ["edge-light"] });
}

/** A page in both browsers. What it imports from the CDN is the installed package. */
async function shown(html, { project, base, name }) {
  const { imports } = importMap(project, "redress");
  const map = JSON.stringify({ imports: { "https://esm.sh/redress": imports.redress } });
  writeFileSync(
    join(project, `${name}.html`),
    html.replace("<script", () => `<script type="importmap">${map}</script>\n<script`),
  );
  const results = {};
  for (const [browser, open] of Object.entries({ Chromium: openChromium, Firefox: openFirefox })) {
    results[`shows its answer in ${browser}`] = await says(open, `${base}/${name}.html`);
  }
  return results;
}

async function runsBundled(file, { project, base, name }) {
  const bundle = {
    entryPoints: [file],
    outfile: join(project, `${name}.js`),
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
  };
  await build({ ...bundle, logLevel: "silent" });
  writeFileSync(
    join(project, `${name}.html`),
    `<!doctype html><body></body><script type="module" src="/${name}.js"></script>`,
  );
  return says(openChromium, `${base}/${name}.html`);
}

/** Whether a page comes to say what it was answered. */
async function says(open, url) {
  const { page, close } = await open();
  const noise = [];
  page.on("pageerror", (error) => noise.push(String(error?.stack ?? error)));
  try {
    await page.goto(url);
    await page.waitForFunction("document.body.textContent.includes('answered 200')", { timeout: 10_000 });
    return noise.length === 0 ? null : noise.join("\n");
  } catch (error) {
    return `${error.stack}\n${noise.join("\n")}`;
  } finally {
    await close();
  }
}
