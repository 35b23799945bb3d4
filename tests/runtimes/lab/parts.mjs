// The parts of a run: what each shows, and how they are counted.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkBehaviours } from "./behaviours.mjs";
import { checkBoundary } from "./boundary.mjs";
import { bundlers, runBundled } from "./bundlers.mjs";
import { checkCancelled } from "./cancelled.mjs";
import { consumer, pack, REPOSITORY } from "./consumer.mjs";
import { checkCopies } from "./copies.mjs";
import { checkDoctor } from "./doctor.mjs";
import { checkExamples } from "./examples.mjs";
import { startFlakyServer } from "./flaky-server.mjs";
import { checkGuide } from "./guide.mjs";
import { checkModules } from "./modules.mjs";
import { checkNext } from "./next.mjs";
import { checkManifest, checkTypes } from "./package.mjs";
import { checkPeers } from "./peers.mjs";
import { checkProcesses } from "./processes.mjs";
import { checkReadme } from "./readme.mjs";
import { runInBrowser } from "./runtimes/browsers.mjs";
import { runInProcess } from "./runtimes/process.mjs";
import { runInWorkerd } from "./runtimes/workerd.mjs";
import { checkSystem } from "./system.mjs";
import { checkTimers } from "./timers.mjs";

const PARTS = {
  "node-20": (lab) => runInProcess("node-20", lab),
  "node-24": (lab) => runInProcess("node-24", lab),
  deno: (lab) => runInProcess("deno", lab),
  bun: (lab) => runInProcess("bun", lab),
  workerd: runInWorkerd,
  chromium: (lab) => runInBrowser("chromium", lab),
  firefox: (lab) => runInBrowser("firefox", lab),
  ...Object.fromEntries(bundlers.map((name) => [name, (lab) => runBundled(name, lab)])),
  next: checkNext,
  manifest: checkManifest,
  types: checkTypes,
  modules: checkModules,
  processes: checkProcesses,
  boundary: checkBoundary,
  clients: checkCancelled,
  copies: checkCopies,
  timers: checkTimers,
  system: checkSystem,
  doctor: checkDoctor,
  readme: checkReadme,
  guide: checkGuide,
  peers: checkPeers,
  examples: checkExamples,
  behaviours: checkBehaviours,
};

const { values } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(PARTS).join(",") },
    filter: { type: "string", default: "" },
    tarball: { type: "string" },
  },
});
const parts = values.only.split(",");
for (const part of parts) {
  if (!(part in PARTS)) throw new Error(`--only ${part}: not one of ${Object.keys(PARTS).join(", ")}`);
}

const shelf = mkdtempSync(join(tmpdir(), "redress-tarball-"));
const tarball = values.tarball ?? pack(shelf);
const project = consumer(tarball);
writeFileSync(join(project, "host.json"), JSON.stringify({ digest: hostDigest() }));
const mounts = { vectors: join(REPOSITORY, "tests", "vectors") };
const server = await startFlakyServer({ root: project, mounts });
const total = { passed: 0, failed: 0 };
for (const part of parts) {
  const started = Date.now();
  let results;
  try {
    results = await PARTS[part]({ project, tarball, base: server.url, filter: values.filter });
  } catch (error) {
    results = [{ name: `${part} runs`, error: String(error?.stack ?? error) }];
  }
  const failures = results.filter((result) => result.error !== null);
  const passed = results.length - failures.length;
  for (const { name, error } of failures) console.log(`FAILED ${part}: ${name}\n${indent(error)}`);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${part}: ${passed} passed, ${failures.length} failed, 0 skipped, in ${seconds} s`);
  total.passed += passed;
  total.failed += failures.length;
}
await server.close();
rmSync(project, { recursive: true, force: true });
rmSync(shelf, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed, 0 skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

/** The digest of the vectors by the engine as it runs on this host. */
function hostDigest() {
  const words = ["run", "--quiet", "--release", "-p", "redress-tests", "--bin", "conformance", "--"];
  const vectors = join("tests", "vectors", "engine.json");
  const options = { cwd: REPOSITORY, encoding: "utf8", maxBuffer: 1 << 24 };
  const output = execFileSync("cargo", [...words, vectors], options);
  return output.match(/^digest ([0-9a-f]{16})$/m)[1];
}

function indent(text) {
  return text.replace(/^/gm, "    ");
}
