// The parts of a run: the suites in a user's project, on Node 24, and the types by the compiler.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { install as installServers } from "../../clients/lab/packages.mjs";
import { pack, packBuilt } from "../../runtimes/lab/consumer.mjs";
import { checkExample } from "./example.mjs";
import { checkPages } from "./pages.mjs";
import { checkTypes } from "./types.mjs";

const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
/** The peers' newest versions want a newer Node than the oldest one of the package. */
const NODE = join(HERE, "node_modules", "node-24", "bin", "node");
/** Each file of suite/ is one; what several have in common is in a folder there. */
const SUITES = readdirSync(join(HERE, "suite"))
  .filter((name) => name.endsWith(".mjs"))
  .map((name) => name.slice(0, -".mjs".length));
/** The long form has more processes. */
const LIMIT_MS = process.env.REDRESS_LONG ? 600_000 : 300_000;
const PARTS = { types: checkTypes, pages: checkPages, example: checkExample };
/** What measures, and is run where it is named. */
const MEASURES = ["latency"];

const { values } = parseArgs({
  options: {
    only: { type: "string", default: [...SUITES, ...Object.keys(PARTS)].join(",") },
    filter: { type: "string", default: "" },
    tarball: { type: "string" },
    built: { type: "boolean", default: false },
  },
});
const parts = values.only.split(",");
for (const part of parts) {
  if (!SUITES.includes(part) && !(part in PARTS) && !MEASURES.includes(part))
    throw new Error(`--only ${part}: no such part`);
}

installServers(["redis-server", "rabbitmq-server"]);
const project = mkdtempSync(join(tmpdir(), "redress-adapters-"));
try {
  await run(project);
} finally {
  rmSync(project, { recursive: true, force: true });
}

async function run(project) {
  install(values.tarball ?? (values.built ? packBuilt(project) : pack(project)), project);
  const total = { passed: 0, failed: 0 };
  const count = (name, { passed, failed }) => {
    console.log(`${name}: ${passed} passed, ${failed} failed`);
    total.passed += passed;
    total.failed += failed;
  };
  for (const part of parts) {
    if (MEASURES.includes(part)) measure(part, project);
    else if (part in PARTS) count(part, reported(part, await PARTS[part]({ project, node: NODE, here: HERE })));
    else count(part, suite(part, project));
  }
  if (parts.every((part) => MEASURES.includes(part))) return;
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}

/** A user's project: the tarball, the peers, and the suites. */
function install(tarball, project) {
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, "redress"), { recursive: true });
  spawnSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", join(modules, "redress")], { stdio: "inherit" });
  for (const name of readdirSync(join(HERE, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(HERE, "node_modules", name), join(modules, name));
  }
  cpSync(join(HERE, "package.json"), join(project, "package.json"));
  for (const part of ["suite", "types", "lab"]) cpSync(join(HERE, part), join(project, part), { recursive: true });
  for (const name of ["brokers.mjs", "processes.mjs"])
    cpSync(join(HERE, "..", "clients", "lab", name), join(project, "lab", name));
}

/** Runs a program of lab/ that prints what it has measured. */
function measure(part, project) {
  const { status } = spawnSync(NODE, [join(project, "lab", `${part}.mjs`)], { cwd: project, stdio: "inherit" });
  if (status !== 0) throw new Error(`${part}: it ended with ${status}`);
}

/** The process in Rust that shares a breaker with those of the suite. */
function buildShared() {
  const top = dirname(dirname(HERE));
  execFileSync("cargo", ["build", "-q", "-p", "redress-shared"], { cwd: top, stdio: "inherit" });
  return join(process.env.CARGO_TARGET_DIR ?? join(top, "target"), "debug", "redress-shared");
}

/** Runs a suite in a process of its own; how many of its tests passed. */
function suite(part, project) {
  if (part === "redis") process.env.REDRESS_SHARED = buildShared();
  const words = ["--unhandled-rejections=strict", join(project, "suite", `${part}.mjs`), values.filter];
  const { status, stdout, stderr } = spawnSync(NODE, words, { cwd: project, encoding: "utf8", timeout: LIMIT_MS });
  const lines = (stdout ?? "").trimEnd().split("\n");
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(lines.pop() ?? "") ?? [];
  if (lines.length > 0) console.log(lines.join("\n"));
  if (stderr) console.log(stderr.trimEnd());
  if (passed === undefined || (status !== 0 && failed === "0")) {
    console.log(`FAILED ${part}: it ended with ${status}`);
    return { passed: Number(passed ?? 0), failed: 1 };
  }
  return { passed: Number(passed), failed: Number(failed) };
}

function reported(part, results) {
  const failures = results.filter(({ error }) => error !== null);
  for (const { name, error } of failures) console.log(`FAILED ${part}: ${name}\n${error.replace(/^/gm, "    ")}`);
  return { passed: results.length - failures.length, failed: failures.length };
}
