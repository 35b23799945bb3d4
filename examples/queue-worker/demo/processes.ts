// What the demo starts and kills: Debian's Redis, which writes to its file what it answers, and workers.

import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

function kept(child: ChildProcess): ChildProcess {
  children.add(child);
  child.on("exit", () => children.delete(child));
  return child;
}

async function killed(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export async function startRedis() {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "redress-queue-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const words = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes"];
  let server: ChildProcess;
  const start = async () => {
    server = kept(spawn("redis-server", words, { stdio: "ignore" }));
    const over = once(server, "exit").then(
      () => {
        throw new Error("redis-server has ended");
      },
      (error) => {
        throw new Error(`redis-server: apt-get install redis-server (${error})`);
      },
    );
    over.catch(() => {});
    while (!(await Promise.race([takesConnections(port), over])))
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await start();
  return { url: `redis://127.0.0.1:${port}`, start, kill: () => killed(server) };
}

/** Workers of `src/main.ts`; one that is killed is replaced. */
export async function startWorkers(count: number, env: Record<string, string>) {
  const program = join(dirname(dirname(fileURLToPath(import.meta.url))), "src", "main.js");
  const workers = new Map<number, ChildProcess>();
  const start = async () => {
    const child = kept(fork(program, { env: { ...process.env, ...env } }));
    workers.set(child.pid ?? 0, child);
    await once(child, "message");
  };
  await Promise.all(Array.from({ length: count }, start));
  return {
    /** Kills a worker by its process id, and starts another one. */
    async kill(pid: number): Promise<void> {
      await killed(workers.get(pid)!);
      workers.delete(pid);
      await start();
    },
    /** Ends all as a deployment does. */
    async end(): Promise<void> {
      await Promise.all([...workers.values()].map((child) => killed(child, "SIGTERM")));
    },
  };
}
