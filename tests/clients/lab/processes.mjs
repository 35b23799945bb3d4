// Servers as processes of their own: on free ports, in temporary folders, and stopped at the end whatever happens.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const running = new Set();
const folders = new Set();

/** A port of the loopback that nothing listens on. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A folder that is removed at the end. */
export function temporary(name) {
  const folder = mkdtempSync(join(tmpdir(), `redress-${name}-`));
  folders.add(folder);
  return folder;
}

/** Runs a command to its end; its output is part of the error if it fails. */
export function execute(command, words, options = {}) {
  try {
    return execFileSync(command, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
  } catch (error) {
    throw new Error(`${command} ${words.join(" ")}:\n${error.stdout}${error.stderr}`);
  }
}

/** Starts a process; what it prints is there for a failure to show. */
export function start(command, words, options = {}) {
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], ...options });
  child.printed = "";
  child.leads = options.detached === true;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      child.printed = (child.printed + text).slice(-4_000);
    });
  }
  child.ended = new Promise((resolve) => {
    child.on("exit", resolve);
    child.on("error", (error) => {
      child.printed += error;
      resolve(error);
    });
  });
  running.add(child);
  child.ended.then(() => running.delete(child));
  return child;
}

/** Sends a signal to a process, or to its group if it leads one: a script whose server is another process. */
function signal(child, name) {
  try {
    if (child.leads) process.kill(-child.pid, name);
    else child.kill(name);
  } catch {
    // It has ended.
  }
}

/** Stops a process, and waits until it has ended. */
export async function stop(child, name = "SIGTERM") {
  if (!running.has(child)) return;
  signal(child, name);
  const late = setTimeout(() => signal(child, "SIGKILL"), 15_000);
  await child.ended;
  clearTimeout(late);
}

/** Resolves once `ready` does without an error; rejects if the process ends, or after a minute. */
export async function readiness(child, ready) {
  const until = Date.now() + 60_000;
  for (;;) {
    try {
      return await ready();
    } catch (error) {
      if (!running.has(child)) throw new Error(`${child.spawnfile} has ended: ${child.printed}`);
      if (Date.now() > until) throw new Error(`${child.spawnfile} is not ready: ${error}\n${child.printed}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Connects to a port of the loopback, and closes the connection. */
export async function connects(port) {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}

/** Stops all processes, and removes all folders. */
export async function stopAll() {
  await Promise.all([...running].map((child) => stop(child)));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** For an end that nothing waits for. */
process.on("exit", () => {
  for (const child of running) signal(child, "SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => process.exit(1));
