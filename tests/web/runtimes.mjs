// Starts the programs: on Node 24, in a page of Chromium, in workerd.

import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runPage } from "../runtimes/lab/runtimes/browsers.mjs";
import { commandOf, run } from "../runtimes/lab/runtimes/process.mjs";
import { bundleWorker, withMiniflare } from "../runtimes/lab/runtimes/workerd.mjs";
import { cargo, HERE, ROOT } from "./build.mjs";

function borrow(folder, ...names) {
  for (const name of names) cpSync(join(HERE, name), join(folder, name));
}

export async function inNode({ folder, base, refused }) {
  borrow(folder, "program.js");
  const file = join(folder, "node.mjs");
  writeFileSync(
    file,
    `import { readFileSync } from "node:fs";
     import * as glue from "./flaky_bg.js";
     import { start } from "./program.js";
     const module = new WebAssembly.Module(readFileSync(new URL("flaky_bg.wasm", import.meta.url)));
     const { run } = start("flaky", glue, module);
     console.log(JSON.stringify(await run("node-24", ${JSON.stringify(base)}, ${JSON.stringify(refused)})));`,
  );
  const { code, stdout, stderr } = await run([...commandOf("node-24"), file], { cwd: folder, limitMs: 60_000 });
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

export async function inChromium({ folder, base, refused }) {
  borrow(folder, "program.js");
  writeFileSync(
    join(folder, "page.html"),
    `<!doctype html><script type="module">
     import * as glue from "./flaky_bg.js";
     import { start } from "./program.js";
     const module = await WebAssembly.compileStreaming(fetch("flaky_bg.wasm"));
     const { run } = start("flaky", glue, module);
     window.runSuite = ({ base, refused }) => run("chromium", base, refused);
     window.ready = true;
     </script>`,
  );
  return runPage("chromium", { url: `${base}/page.html`, argument: { base, refused } });
}

/** Runs a worker that is made of this source, and answers with JSON. */
async function answered(source, { folder, name, body }) {
  borrow(folder, "program.js");
  const entry = join(folder, `${name}.entry.js`);
  writeFileSync(entry, source);
  const modules = await bundleWorker(entry, { project: folder });
  return withMiniflare({ modules }, async (miniflare) => {
    const response = await miniflare.dispatchFetch("http://suite.test/", { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  });
}

export function inWorkerd({ folder, base, refused }) {
  // Started at module scope, where workerd allows neither timers nor randomness.
  const source = `
    import * as glue from "./flaky_bg.js";
    import module from "./flaky_bg.wasm";
    import { start } from "./program.js";
    const { run } = start("flaky", glue, module);
    export default {
      async fetch(request) {
        const { base, refused } = await request.json();
        return Response.json(await run("workerd", base, refused));
      },
    };`;
  return answered(source, { folder, name: "flaky", body: JSON.stringify({ base, refused }) });
}

/** The engine's vectors in workerd, with the digest of this host; those of the default rules. */
export async function checkVectors({ folder }) {
  const read = (name) => readFileSync(join(ROOT, "tests", "vectors", name), "utf8");
  const source = `
    import * as glue from "./vectors_bg.js";
    import module from "./vectors_bg.wasm";
    import { start } from "./program.js";
    const { run, classOf } = start("vectors", glue, module);
    export default {
      async fetch(request) {
        const { engine, cases } = await request.json();
        return Response.json({ engine: run(engine), classes: cases.map(({ error }) => classOf(error)) });
      },
    };`;
  // A marker is a type that only its own library has; JavaScript's errors have a name.
  const cases = JSON.parse(read("classifiers.json")).filter((one) => one.classifier === "default" && !one.error.marker);
  const body = JSON.stringify({ engine: read("engine.json"), cases });
  const { engine, classes } = await answered(source, { folder, name: "vectors", body });
  const [digest, count, ...differences] = engine.split("\n");
  const vectors = join("tests", "vectors", "engine.json");
  // By the profile of the suite itself, which has compiled most of it.
  const host = await cargo(["run", "--quiet", "-p", "redress-tests", "--bin", "conformance", "--", vectors]);
  const [, wanted] = host.match(/^digest ([0-9a-f]{16})$/m);
  const wrong = cases.flatMap(({ error, expect }, nth) =>
    classes[nth].split(" ")[0] === expect.class
      ? []
      : [`${JSON.stringify(error)} is ${classes[nth]}, not ${expect.class}`],
  );
  const differs = differences.filter((line) => line !== "");
  return [
    {
      name: `${count} end as expected in workerd`,
      error: differs.length === 0 ? null : differs.slice(0, 5).join("\n"),
    },
    { name: "the digest is that of the host", error: digest === wanted ? null : `${digest}, not ${wanted}` },
    {
      name: `${cases.length} errors have the classes of the vectors`,
      error: wrong.length === 0 ? null : wrong.join("\n"),
    },
  ];
}

/** The tests of the example, with the program that is built already. */
export async function checkExample({ folder }) {
  const examples = join(folder, "examples");
  const filter = (path) => !/node_modules|target|build$/.test(path);
  for (const name of ["edge-worker", "edge-worker-rust"]) {
    cpSync(join(ROOT, "examples", name), join(examples, name), { recursive: true, filter });
  }
  symlinkSync(join(ROOT, "tests", "runtimes", "node_modules"), join(examples, "node_modules"));
  const place = join(examples, "edge-worker-rust");
  for (const name of ["worker_bg.js", "worker_bg.wasm", "snippets"]) {
    cpSync(join(folder, name), join(place, "build", name), { recursive: true });
  }
  const [node] = commandOf("node-24");
  const command = [node, "--test", "--test-reporter=tap", "test.mjs"];
  const { code, stdout, stderr } = await run(command, { cwd: place, limitMs: 60_000 });
  const lines = [...stdout.matchAll(/^(?<not>not )?ok \d+ - (?<name>.*)$/gm)];
  const results = lines.map(({ groups }) => ({ name: groups.name, error: groups.not === undefined ? null : stdout }));
  if (code !== 0 || results.length < 5) results.push({ name: "the example's tests run", error: `${stdout}${stderr}` });
  return results;
}
