// The boundary to WebAssembly, in processes of their own: what hostile numbers, a full memory and an overflowing stack do,
// and what is given back. The programs use files of the package that it does not export, of the tree of modules, so that
// they import that, too.

import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HERE } from "./consumer.mjs";
import { partsOf } from "./layout.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

/** Each: what it shows, the program in lab/programs, and the flags of Node. */
const TABLE = [
  ["no number that a function is called with, and no full memory, reaches what is another's", "fuzz.mjs", []],
  ["in a full memory what needs room is refused by a RangeError, and goes on once there is some", "full.mjs", []],
  ["hundreds of overflows of the stack leave every module in order", "overflow.mjs", ["--stack-size=200"]],
  ["calls and permits that never come back are given back with their breaker", "forgotten.mjs", ["--expose-gc"]],
  ["without a FinalizationRegistry dispose gives back what an object holds", "disposed.mjs", []],
  ["a budget takes the room that it needs", "room.mjs", []],
];

/** Runs each program on both versions of Node. */
export async function checkBoundary({ project }) {
  cpSync(join(HERE, "lab", "programs"), join(project, "programs"), { recursive: true });
  const results = [checkLayout(project)];
  for (const [name, program, flags] of TABLE) {
    for (const runtime of ["node-20", "node-24"]) {
      const { code, stdout, stderr } = await run(
        [...commandOf(runtime), "--conditions=module", ...flags, join(project, "programs", program)],
        { cwd: project, limitMs: 60_000 },
      );
      const right = code === 0 && stdout.trim() === "right";
      results.push({ name: `${name}, on ${runtime}`, error: right ? null : `exit code ${code}\n${stdout}${stderr}` });
    }
  }
  return results;
}

/** The modules that share a memory have each their own part of it, and of the table of functions. */
function checkLayout(project) {
  const name = "modules that share a memory write to no byte and no function of each other";
  const folder = join(project, "node_modules", "redress", "dist");
  const { PAGES, FUNCTIONS } = Object.fromEntries(
    [...readFileSync(join(folder, "esm", "wasm", "modules", "layout.js"), "utf8").matchAll(/(\w+) = (\d+)/g)].map(
      ([, key, value]) => [key, Number(value)],
    ),
  );
  const parts = ["core", "guards", "adaptive", "extras"].map((module) =>
    partsOf(readFileSync(join(folder, `${module}.wasm`))),
  );
  const wrong = [];
  const expect = (right, what) => right || wrong.push(`${what}: ${JSON.stringify({ parts, PAGES, FUNCTIONS })}`);
  const [core, ...others] = parts;
  expect(core.stack > 0 && core.stack <= PAGES * 65_536, "the stack is in the memory");
  expect(
    core.data.every(([from]) => from >= core.stack),
    "the stack grows away from data",
  );
  expect(
    others.every(({ stack }) => stack === 0),
    "the others have no stack of their own",
  );
  let [end, next] = [1024, 1];
  for (const { data, functions } of parts) {
    expect(data.length > 0 && functions.length > 0, "each has data, and functions in the table");
    expect(Math.min(...data.map(([from]) => from)) >= end, "data begin where those of the module before end");
    expect(Math.min(...functions.map(([from]) => from)) >= next, "functions are one after the other");
    end = Math.max(...data.map(([, to]) => to));
    next = Math.max(...functions.map(([, to]) => to));
  }
  expect(end <= PAGES * 65_536, "data are in the memory");
  expect(next <= FUNCTIONS, "functions are in the table");
  return { name, error: wrong.length === 0 ? null : wrong.join("\n") };
}
