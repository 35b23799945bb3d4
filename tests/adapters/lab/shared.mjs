// Processes that share a breaker in a Redis: the server, what has answers lost, the processes, and the upstream that they call.

import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { connects, freePort, readiness, start, stop, temporary } from "./processes.mjs";

const WORKER = join(dirname(fileURLToPath(import.meta.url)), "shared-worker.mjs");

/**
 * A Redis that has each write on disk before it answers, unless it keeps nothing, a replica of another `of` that port: its port, a
 * client, and what kills and starts it.
 */
export async function startRedis({ cleanup }, { keeps = true, of } = {}) {
  const port = await freePort();
  const dir = temporary("shared");
  const words = ["--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly"];
  words.push(...(keeps ? ["yes", "--appendfsync", "always"] : ["no"]));
  // A replica waits no time for others that may come.
  words.push("--repl-diskless-sync-delay", "0");
  if (of !== undefined) words.push("--replicaof", "127.0.0.1", of);
  let child;
  const run = async () => {
    child = start("/usr/bin/redis-server", words.map(String), { cwd: dir });
    await readiness(child, () => connects(port));
  };
  await run();
  const client = new Redis({ host: "127.0.0.1", port, retryStrategy: () => 20 });
  client.on("error", () => {});
  cleanup(() => stop(child, "SIGKILL"));
  cleanup(() => client.disconnect());
  return { port, client, run, kill: () => stop(child, "SIGKILL") };
}

/** A replica of a Redis, which has all that this one has; `synced` waits until it has again. */
export async function startReplica(primary, lab) {
  const replica = await startRedis(lab, { of: primary.port });
  while (!/master_link_status:up/.test(await replica.client.info("replication"))) await new Promise(setImmediate);
  replica.synced = async () => {
    await primary.client.set("synced", 1);
    // Nothing is written by others after that.
    while ((await primary.client.wait(1, 1_000)) < 1);
  };
  await replica.synced();
  return replica;
}

/** What a command that writes a state has among its words. */
const WRITES = /\r\n1 \d+ \d+ [0-9a-f]+\r\n/;

/**
 * A proxy before a port. While `dropsWrites` is set it drops all answers from the next writing on; `dropped` is how many. `turnTo`
 * has the clients connect anew, to another port.
 */
export async function startProxy(port, { cleanup }) {
  const proxy = { dropsWrites: false, dropped: 0, port: 0 };
  const sockets = new Set();
  let target = port;
  proxy.turnTo = (port) => {
    target = port;
    for (const one of sockets) one.destroy();
    sockets.clear();
  };
  const server = createServer((socket) => {
    const behind = connect(target, "127.0.0.1");
    for (const one of [socket, behind]) {
      sockets.add(one);
      one.on("error", () => {});
    }
    let drops = false;
    socket.on("data", (chunk) => {
      drops = proxy.dropsWrites && (drops || WRITES.test(chunk));
      behind.write(chunk);
    });
    behind.on("data", (chunk) => {
      if (drops) proxy.dropped += 1;
      else socket.write(chunk);
    });
    socket.on("close", () => behind.destroy());
    behind.on("close", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy.port = server.address().port;
  cleanup(() => {
    for (const one of sockets) one.destroy();
    server.close();
  });
  return proxy;
}

/**
 * The upstream: answers 503 while it is down, and always to the processes that `fails` has, else 200; while it holds, calls stay in
 * flight until `release`. `most` is how many were in flight at once, by calls that it holds.
 */
export async function startUpstream({ cleanup }) {
  const held = new Map();
  const upstream = { status: 200, fails: new Set(), holds: false, calls: 0, held, most: 0 };
  const server = createHttp((request, response) => {
    upstream.calls += 1;
    const from = Number(request.headers["x-worker"]);
    if (!upstream.holds) return void response.writeHead(upstream.fails.has(from) ? 503 : upstream.status).end();
    held.set(response, { from, at: Date.now() });
    upstream.most = Math.max(upstream.most, held.size);
    response.on("close", () => held.delete(response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  upstream.url = `http://127.0.0.1:${server.address().port}/`;
  /** Answers all that are held. */
  upstream.release = (status) => {
    upstream.holds = false;
    for (const response of held.keys()) response.writeHead(status).end();
  };
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  return upstream;
}

/** By what the processes ask: two clients of JavaScript, and redress-tokio. */
const CLIENTS = ["ioredis", "redis", "rust"];

/** A process with a breaker: what takes a number for each call, and who listens to its answers. */
function startWorker(given) {
  const words = [JSON.stringify(given)];
  if (given.client !== "rust") {
    const child = fork(WORKER, words, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    return { child, ask: (number) => child.send({ number }), listen: (heard) => child.on("message", heard) };
  }
  const child = spawn(process.env.REDRESS_SHARED, words, { stdio: ["pipe", "pipe", "inherit"] });
  // It may be killed before it has read what is written.
  child.stdin.on("error", () => {});
  return {
    child,
    ask: (number) => child.stdin.write(`${JSON.stringify({ number })}\n`),
    listen: (heard) => createInterface({ input: child.stdout }).on("line", (line) => heard(JSON.parse(line))),
  };
}

/** Processes with a breaker each, by the clients in turn; `call` has one make a call, and gives how it ended. */
export async function startWorkers(count, { ports, url, settings }, { cleanup }) {
  const workers = Array.from({ length: count }, (_, id) => {
    const given = { id, url, port: ports[id % ports.length], client: CLIENTS[id % CLIENTS.length], settings };
    const { child, ask, listen } = startWorker(given);
    const waiting = new Map();
    let latest = 0;
    const worker = { id, child, isAlive: true, busy: 0, tells: { unreachable: 0, conflicts: 0 } };
    const ended = once(child, "exit");
    listen(({ number, end, tells }) => {
      worker.tells = tells;
      waiting.get(number)?.(end);
      waiting.delete(number);
    });
    ended.then(() => {
      worker.isAlive = false;
      for (const resolve of waiting.values()) resolve("killed");
    });
    worker.ready = Promise.race([
      new Promise((resolve) => waiting.set(0, resolve)),
      ended.then(() => Promise.reject(new Error("a worker has ended"))),
    ]);
    worker.call = async () => {
      latest += 1;
      worker.busy += 1;
      const end = new Promise((resolve) => waiting.set(latest, resolve));
      ask(latest);
      return end.finally(() => (worker.busy -= 1));
    };
    worker.kill = async () => {
      child.kill("SIGKILL");
      await ended;
    };
    cleanup(worker.kill);
    return worker;
  });
  await Promise.all(workers.map(({ ready }) => ready));
  return workers;
}

/** Has each process that is free make a call at once; how those ended that are not held. */
export async function round(workers, upstream) {
  const ends = [];
  const free = workers.filter(({ isAlive, busy }) => isAlive && busy === 0);
  let open = free.length;
  await new Promise((resolve) => {
    if (open === 0) resolve();
    // A call has ended, or is held by the upstream.
    const looked = setInterval(() => {
      if (open <= free.filter(({ id }) => [...upstream.held.values()].some(({ from }) => from === id)).length) {
        clearInterval(looked);
        resolve();
      }
    }, 2);
    for (const worker of free) {
      worker.call().then((end) => {
        ends.push(end);
        open -= 1;
      });
    }
  });
  return ends;
}

/** Resolves when no process is in a call. */
export async function settled(workers) {
  while (workers.some(({ busy }) => busy > 0)) await new Promise(setImmediate);
}
