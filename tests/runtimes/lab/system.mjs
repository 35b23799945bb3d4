// The operating system's errors: their codes have the classes that the core gives to their numbers, on each runtime
// that has them.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./consumer.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

const PROGRAM = `
import { readFile, mkdir } from "node:fs/promises";
import { constants } from "node:os";
import { classify } from "redress";
const codes = Object.entries(constants.errno).map(([code, number]) => {
  const error = Object.assign(new Error("failed"), { code });
  return [code, number, classify.system(error).class, classify.system(new Error("outer", { cause: error })).class];
});
const real = {};
for (const [name, operation] of [["absent", () => readFile("./absent")], ["folder", () => readFile(".")], ["there", () => mkdir(".")]]) {
  real[name] = await operation().then(() => "none", (error) => classify.system(error).class);
}
console.log(JSON.stringify({ codes, real }));
`;

/** What the default rules know besides: connections that fail. */
const BESIDES = { EHOSTDOWN: "TRANSIENT", ENETRESET: "TRANSIENT" };

/** Holds every code against the core's table. */
export async function checkSystem({ project }) {
  const words = ["run", "--quiet", "--release", "-p", "redress-tests", "--bin", "system_errors"];
  const printed = execFileSync("cargo", words, { cwd: REPOSITORY, encoding: "utf8" });
  const classes = new Map(
    printed
      .trim()
      .split("\n")
      .map((line) => line.split(" ")),
  );
  writeFileSync(join(project, "system.mjs"), PROGRAM);
  const results = [];
  for (const runtime of ["node-20", "node-24", "deno", "bun"]) {
    const { code, stdout, stderr } = await run([...commandOf(runtime), "system.mjs"], {
      cwd: project,
      limitMs: 20_000,
    });
    results.push({
      name: `codes of the operating system are classified as by the core, on ${runtime}`,
      error: code === 0 ? wrong(stdout, classes) : stderr,
    });
  }
  return results;
}

function wrong(stdout, classes) {
  const { codes, real } = JSON.parse(stdout);
  const differences = codes.flatMap(([name, number, found, byCause]) => {
    const core = classes.get(String(number)) ?? "UNKNOWN";
    const right = core === "UNKNOWN" ? (BESIDES[name] ?? core) : core;
    return found === right && byCause === right ? [] : [`${name} is ${found}, as a cause ${byCause}, and not ${right}`];
  });
  if (codes.length < 50) differences.push(`only ${codes.length} codes`);
  const expected = { absent: "PERMANENT", folder: "PERMANENT", there: "CONCURRENCY" };
  if (JSON.stringify(real) !== JSON.stringify(expected)) differences.push(`real errors: ${JSON.stringify(real)}`);
  return differences.length === 0 ? null : differences.join("\n");
}
