// A run: the clients one after the other, each with the servers that it needs, which live as long as the run.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { consumer, npm, pack, HERE as RUNTIMES } from "../../runtimes/lab/consumer.mjs";
import { install } from "./packages.mjs";
import { stopAll } from "./processes.mjs";
import { besideReference } from "./reference.mjs";
import { collector, described } from "./rows.mjs";
import { tableOf } from "./table.mjs";

const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
const TABLE = join(HERE, "TABLE.md");
/** Files of clients, in the order of the table. */
const FILES = ["http", "sql", "redis", "rpc", "messaging", "cloud", "constructed"];

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    tarball: { type: "string" },
    write: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const groups = [];
for (const file of FILES) groups.push({ file, ...(await import(`../clients/${file}.mjs`)) });
const names = groups.flatMap(({ clients }) => Object.keys(clients));
const only = values.only?.split(",") ?? names;
for (const name of only) {
  if (!names.includes(name)) throw new Error(`--only ${name}: not one of ${names.join(", ")}`);
}

// What packs the package, and a project that installs it, are of the runtimes' laboratory.
if (!existsSync(join(RUNTIMES, "node_modules", ".package-lock.json"))) npm(RUNTIMES, "ci");
const shelf = mkdtempSync(join(tmpdir(), "redress-tarball-"));
const project = consumer(values.tarball ?? pack(shelf));
const entry = join(project, "node_modules", "redress", "dist", "node", "classify.js");
const classify = await import(pathToFileURL(entry));

const servers = new Map();
/** A server that several clients use, started when the first of them asks. */
function shared(name, start) {
  if (!servers.has(name)) servers.set(name, start());
  return servers.get(name);
}

const counts = { passed: 0, failed: 0 };
const all = [];

function fail(words) {
  counts.failed += 1;
  console.log(`FAILED ${words}`);
}

async function run(name, client) {
  const started = Date.now();
  const { rows, row } = collector(classify);
  try {
    await client({ row, shared });
  } catch (error) {
    fail(`${name}: ${error?.stack ?? error}`);
  }
  for (const { name: fault, problems, failure } of rows) {
    if (problems.length === 0) counts.passed += 1;
    else fail(`${name}, ${fault}: ${problems.join("; ")}\n${described(failure)}`);
    if (values.verbose) console.log(`${fault}: ${described(failure)}`);
  }
  const failed = rows.filter(({ problems }) => problems.length > 0).length;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${name}: ${rows.length - failed} passed, ${failed} failed, 0 skipped, in ${seconds} s`);
  all.push(...rows);
}

// What a client throws beside its promises is no row, and must not end the run.
process.on("uncaughtException", (error) => {
  if (values.verbose) console.log(`beside its promise: ${described(error)}`);
});
process.on("unhandledRejection", () => {});

try {
  install(groups.filter(({ clients }) => only.some((name) => name in clients)).flatMap(({ needs = [] }) => needs));
  for (const { clients } of groups) {
    for (const [name, client] of Object.entries(clients)) {
      if (only.includes(name)) await run(name, client);
    }
  }
  if (only === names) {
    const { text, problems } = besideReference(all);
    problems.forEach(fail);
    compare(tableOf(all, text));
  }
} catch (error) {
  fail(String(error?.stack ?? error));
} finally {
  for (const server of servers.values()) await server.then((started) => started.stop?.()).catch(() => {});
  await stopAll();
  for (const folder of [project, shelf]) rmSync(folder, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
// Pools and sockets of clients that have failed may be open still.
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);

/** Holds the table against the one that is published, or writes it. */
function compare(table) {
  if (values.write) writeFileSync(TABLE, table);
  else if (!existsSync(TABLE) || readFileSync(TABLE, "utf8") !== table) {
    fail("TABLE.md differs from what the clients show: node tests/clients/run.mjs --write");
  } else counts.passed += 1;
}
