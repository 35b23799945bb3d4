// Node, Deno and Bun: a process that prints its results and ends by itself.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { HERE } from "../consumer.mjs";

const LIMIT_MS = 240_000;
const modules = join(HERE, "node_modules");

const COMMANDS = {
  "node-20": [join(modules, "node-20/bin/node"), "--unhandled-rejections=strict"],
  "node-24": [join(modules, "node-24/bin/node"), "--unhandled-rejections=strict"],
  deno: [join(modules, ".bin/deno"), "run", "--allow-all", "--cached-only", "--quiet"],
  bun: [join(modules, ".bin/bun"), "run", "--no-install"],
};

/** The command line of a runtime, to run a file with. */
export function commandOf(runtime) {
  return COMMANDS[runtime];
}

/** Runs a program to its end: `{ code, stdout, stderr }`, killed after `limitMs`. */
export function run([program, ...words], { cwd, limitMs = LIMIT_MS, env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    const timer = setTimeout(() => {
      stderr += `\nkilled: it did not end within ${limitMs} ms`;
      child.kill("SIGKILL");
    }, limitMs);
    child.on("error", (error) => {
      stderr += String(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs a program that prints its results; those, and whether it ended by itself. */
export async function runProgram(command, cwd) {
  const { code, stdout, stderr } = await run(command, { cwd });
  const line = stdout.split("\n").find((text) => text.startsWith("RESULTS "));
  const results = line === undefined ? [] : JSON.parse(line.slice(8));
  const ended = code === 0 && line !== undefined;
  const error = ended ? null : `exit code ${code}\n${stdout}\n${stderr}`;
  results.push({ name: "process: prints its results and ends by itself", error, ms: 0 });
  return results;
}

/** Runs the suite; its results. */
export function runInProcess(runtime, { project, base, filter }) {
  const entry = join("entries", "process.mjs");
  return runProgram([...COMMANDS[runtime], entry, runtime, base, filter], project);
}
