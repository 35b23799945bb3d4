// Processes that take jobs from a queue: one that is killed is replaced.

import { fork } from "node:child_process";
import { once } from "node:events";

/** `count` processes of a program of lab/, each with a name of its own; `kill` has another one take the place of one. */
export async function startWorkers(program, count, given, { cleanup }) {
  const children = new Map();
  let [latest, isOver] = [0, false];
  async function start() {
    const name = `w${(latest += 1)}`;
    const child = fork(program, [JSON.stringify({ name, ...given })], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    children.set(name, child);
    await once(child, "message");
  }
  cleanup(() => {
    isOver = true;
    for (const child of children.values()) child.kill("SIGKILL");
  });
  await Promise.all(Array.from({ length: count }, start));
  return {
    kill(name) {
      children.get(name).kill("SIGKILL");
      children.delete(name);
      if (!isOver) start();
    },
  };
}
