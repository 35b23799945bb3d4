// The npm package beside its peers, all in one process, on the pinned Node 24.
//
//   node tests/runtimes/bench/run.mjs [--tarball FILE]
//
// Prints a table in Markdown. Times are medians over interleaved rounds.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { consumer, HERE, npm, pack } from "../lab/consumer.mjs";
import { bytesEach, heapBytes, idleCpuMs, nanoseconds, timersOf } from "./measure.mjs";

const { values } = parseArgs({ options: { tarball: { type: "string" } } });

if (globalThis.gc === undefined) {
  if (!existsSync(join(HERE, "node_modules"))) npm(HERE, "ci");
  const node = join(HERE, "node_modules", "node-24", "bin", "node");
  const words = ["--expose-gc", fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(node, words, { stdio: "inherit" }).status ?? 1);
}

const { failing, ours } = await import("./ours.mjs");
const { idleBreakers, peers, storms } = await import("./peers.mjs");
const { sizes } = await import("./sizes.mjs");

const shelf = mkdtempSync(join(tmpdir(), "redress-tarball-"));
const project = consumer(values.tarball ?? pack(shelf));
writeFileSync(join(project, "redress.mjs"), `export * from "redress";`);
const redress = await import(pathToFileURL(join(project, "redress.mjs")).href);
const us = ours(redress);

const rows = [];
const number = (value) => Math.round(value).toLocaleString("en");

/** A row: ours, the goal, each peer, and how ours compares with the best of them. */
function row(what, goal, own, others, format = number) {
  const sorted = Object.entries(others).sort(([, a], [, b]) => a - b);
  const list = sorted.map(([name, value]) => `${name} ${format(value)}`).join(", ");
  const ratio = sorted.length === 0 || sorted[0][1] === 0 ? "" : (own / sorted[0][1]).toFixed(2);
  rows.push(`| ${what} | ${format(own)} | ${goal} | ${ratio} | ${list} |`);
}

async function time(what, goal, own, others, { calls, fails = false, slow = [] }) {
  const cases = { redress: { call: own, fails } };
  for (const [name, call] of Object.entries(others)) {
    cases[name] = { call, fails, ...(slow.includes(name) ? { calls: 4 } : {}) };
  }
  const { redress: mine, ...rest } = await nanoseconds(cases, { calls });
  row(`${what}, ns`, goal, mine, rest);
}

const succeeds = async () => 1;
const error = failing();
const failsThrice = () => {
  let n = 0;
  return async () => {
    n += 1;
    if (n % 4 !== 0) throw error;
    return 1;
  };
};

await time(
  "success, retry and breaker",
  "300",
  us.successRetryBreaker(succeeds),
  await peers.successRetryBreaker(succeeds),
  { calls: 3_000 },
);
await time("success, retry only", "170", us.successRetry(succeeds), await peers.successRetry(succeeds), {
  calls: 3_000,
});
await time(
  "3 failures, then success, no delays",
  "3,900",
  us.threeFailures(failsThrice()),
  await peers.threeFailures(failsThrice()),
  { calls: 400, slow: ["cockatiel", "alfred"] },
);
await time("open rejection", "1,000", await us.openRejection(), await peers.openRejection(), {
  calls: 500,
  fails: true,
});

const heaps = {};
const idle = {};
for (const [name, { make, drop }] of Object.entries({ redress: us.idleBreaker, ...idleBreakers })) {
  let measured;
  const timers = await timersOf(async () => {
    measured = await bytesEach(make, 10_000);
  });
  idle[name] = { timers: timers, cpuMs: await idleCpuMs(2_000) };
  heaps[name] = measured.each;
  measured.things.forEach(drop);
}
const { redress: heap, ...otherHeaps } = heaps;
row("heap of an idle breaker, JS and wasm, bytes", "400", heap, otherHeaps);
const { each: heapInUse } = await bytesEach(us.usedBreaker, 10_000);
row("heap of a breaker after its first failure, bytes", "", heapInUse, {});
const { redress: quiet, ...noisy } = idle;
const describeIdle = ({ timers, cpuMs }) => `${number(timers)} timers, ${cpuMs.toFixed(0)} ms`;
const loud = Object.entries(noisy).map(([name, cost]) => `${name} ${describeIdle(cost)}`);
rows.push(`| 10,000 idle breakers: timers, CPU in 2 s | ${describeIdle(quiet)} | 0 |  | ${loud.join(", ")} |`);

const kilobytes = (bytes) => `${(bytes / 1_000).toFixed(2)} KB`;
const all = Object.entries(await sizes(project));
const peerSizes = all
  .slice(2)
  .map(([name, bytes]) => `${name} ${kilobytes(bytes)}`)
  .join(", ");
all.slice(0, 2).forEach(([name, bytes], n) => {
  rows.push(`| gzip: ${name} | ${kilobytes(bytes)} | ${["7.5", "6.5"][n]} KB |  | ${n === 0 ? peerSizes : ""} |`);
});

const reached = {};
const bare = () => us.storm({ initial: 0, floorPerSec: 0 });
for (const [name, make] of Object.entries({ redress: us.storm, bare, ...storms })) {
  const call = make();
  let calls = 0;
  const dead = async () => {
    calls += 1;
    throw error;
  };
  await Promise.all(Array.from({ length: 200 }, () => call(dead).catch(() => {})));
  reached[name] = calls;
}
const { redress: spared, bare: least, ...flooded } = reached;
row("calls that reach a dead backend: 200 callers, 4 attempts, budget 10 %, 10 at the start", "", spared, flooded);
row("the same, nothing at the start and no floor", "220", least, {});

const call = us.everything();
const mixed = failsThrice();
for (let n = 0; n < 50_000; n += 1) await call(mixed).catch(() => {});
const before = await heapBytes();
for (let n = 0; n < 1_000_000; n += 1) await call(n % 10 === 0 ? mixed : succeeds).catch(() => {});
const growth = (await heapBytes()) - before;
rows.push(`| growth after 1,000,000 calls, JS and wasm, bytes | ${number(growth)} | 0 |  |  |`);

/** Makes and drops policies; slots come back when their owners are collected, between turns. */
async function makeAndDrop(count) {
  for (let n = 0; n < count; n += 1) {
    us.everything();
    if (n % 20_000 > 0) continue;
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

// WebAssembly's memory never shrinks, so that the first ones make it as large as it gets.
await makeAndDrop(200_000);
const empty = await heapBytes();
await makeAndDrop(1_000_000);
const left = (await heapBytes()) - empty;
rows.push(
  `| growth after 1,000,000 policies, breakers and budgets made and dropped, bytes | ${number(left)} | 0 |  |  |`,
);

rmSync(project, { recursive: true, force: true });
rmSync(shelf, { recursive: true, force: true });

const version = (name) => {
  const manifest = join(HERE, "node_modules", name, "package.json");
  return JSON.parse(readFileSync(manifest, "utf8")).version;
};
const names = ["cockatiel", "p-retry", "opossum", "@lifeomic/attempt", "@git-stunts/alfred"];
console.log(
  `${cpus()[0].model}, Node ${process.version}; ${names.map((name) => `${name} ${version(name)}`).join(", ")}\n`,
);
console.log("| | redress | goal | to the best peer | peers |\n| --- | ---: | ---: | ---: | --- |");
console.log(rows.join("\n"));
process.exit(0);
