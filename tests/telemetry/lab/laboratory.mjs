// A run: each file of checks in a process of its own, on the Node that OpenTelemetry wants, in a project with the packed package.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { install } from "../../clients/lab/packages.mjs";
import { consumer, npm, pack, packBuilt, HERE as RUNTIMES } from "../../runtimes/lab/consumer.mjs";
import { run } from "../../runtimes/lab/runtimes/process.mjs";
import { recipes, table, types } from "./documents.mjs";
import { example } from "./example.mjs";

const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE = join(HERE, "node_modules", "node-24", "bin", "node");
const LIMIT_MS = 90_000;

/** Files of checks, and what else is looked at. */
const checks = readdirSync(join(HERE, "checks")).map((file) => file.replace(".test.mjs", ""));
const OTHERS = { types, recipes, table, example };
const names = [...checks, ...Object.keys(OTHERS)];
const { values } = parseArgs({
  options: {
    only: { type: "string", default: names.join(",") },
    tarball: { type: "string" },
    built: { type: "boolean", default: false },
  },
});
const only = values.only.split(",");
for (const name of only) {
  if (!names.includes(name)) throw new Error(`--only ${name}: not one of ${names.join(", ")}`);
}

install(["prometheus", "postgresql-15", "redis-server"]);
if (!existsSync(join(RUNTIMES, "node_modules", ".package-lock.json"))) npm(RUNTIMES, "ci");
const shelf = mkdtempSync(join(tmpdir(), "redress-tarball-"));
const tarball = values.tarball ?? (values.built ? packBuilt(shelf) : pack(shelf));
const project = consumer(tarball);
/** Where the package is found, and beside it what the project of a user would install besides. */
const folder = join(project, "telemetry");
for (const part of ["checks", "lab", "types"]) cpSync(join(HERE, part), join(folder, part), { recursive: true });
cpSync(join(HERE, "..", "clients", "lab", "processes.mjs"), join(folder, "lab", "processes.mjs"));
symlinkSync(join(HERE, "node_modules"), join(folder, "node_modules"));

/** Runs a file of checks; how many passed and failed, and what it printed. */
async function checked(name) {
  const words = ["--unhandled-rejections=strict", "--expose-gc", "--test", "--test-force-exit", "--test-reporter=tap"];
  const command = [NODE, ...words, join("checks", `${name}.test.mjs`)];
  const { code, stdout, stderr } = await run(command, { cwd: folder, limitMs: LIMIT_MS });
  const counted = (what) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(stdout)?.[1] ?? 0);
  const passed = counted("pass");
  const failed = Math.max(counted("fail"), code === 0 && passed > 0 ? 0 : 1);
  return { passed, failed, printed: `exit code ${code}\n${stdout}${stderr}` };
}

/** Runs what gives a list of results. */
async function listed(part) {
  const results = await part({ folder, node: NODE, tarball, checks: join(HERE, "checks") });
  const failures = results.filter(({ error }) => error !== null);
  const printed = failures.map(({ name, error }) => `${name}\n${error}`).join("\n");
  return { passed: results.length - failures.length, failed: failures.length, printed };
}

const counts = { passed: 0, failed: 0 };
for (const name of only) {
  const started = Date.now();
  const { passed, failed, printed } = await (name in OTHERS ? listed(OTHERS[name]) : checked(name));
  if (failed > 0) console.log(`FAILED ${name}: ${printed}`);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${name}: ${passed} passed, ${failed} failed, 0 skipped, in ${seconds} s`);
  counts.passed += passed;
  counts.failed += failed;
}
for (const each of [project, shelf]) rmSync(each, { recursive: true, force: true });
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
