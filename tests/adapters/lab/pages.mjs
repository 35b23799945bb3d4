// Every program of the pages on clients, servers, shared state and queues runs. Hosts named example.com are a server here, which answers them
// with JSON; a server of a program listens where `process.env.PORT` says; `process.env.REDIS_URL` is a real Redis, `AMQP_URL` a real RabbitMQ.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { startPrices } from "./grpc.mjs";

const PAGES = ["clients.md", "servers.md", "shared.md", "queues.md"];
const BLOCK = /```js\n(?<code>[^]*?)\n```/g;

export async function checkPages({ project, node, here }) {
  const cleanups = [];
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ method: request.method, path: request.url }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${server.address().port}`;
  const prices = await startPrices([0], { cleanup: (one) => cleanups.push(one) });
  // There it is beside what it starts servers with.
  const { startRedis } = await import(join(project, "lab", "shared.mjs"));
  const redis = await startRedis({ cleanup: (one) => cleanups.push(one) });
  const { startRabbit } = await import(join(project, "lab", "brokers.mjs"));
  const { stopAll } = await import(join(project, "lab", "processes.mjs"));
  cleanups.push(stopAll);
  const rabbit = await startRabbit();
  const { hostname, port, username, password } = rabbit.address("admin");
  const env = {
    ...process.env,
    PORT: "0",
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    AMQP_URL: `amqp://${username}:${password}@${hostname}:${port}`,
  };
  const folder = join(project, "pages");
  mkdirSync(folder);
  const results = [];
  for (const page of PAGES) {
    const text = readFileSync(join(here, "..", "..", "wasm", "docs", page), "utf8");
    const found = [...text.matchAll(BLOCK)];
    if (found.length === 0) results.push({ name: `${page} has programs`, error: "it has none" });
    for (const { index, groups } of found) {
      const line = text.slice(0, index).split("\n").length;
      const file = join(folder, `${page}-${line}.mjs`);
      const source = groups.code
        .replaceAll(/https:\/\/prices\.example\.com/g, prices.url)
        .replaceAll(/\bprices\.example\.com:443/g, prices.address)
        .replaceAll(/https:\/\/[a-z.]*example\.com/g, base);
      writeFileSync(file, source);
      results.push({ name: `${page}, line ${line}, runs`, error: await failure([node, file], project, env) });
    }
  }
  server.closeAllConnections();
  server.close();
  for (const cleanup of cleanups.reverse()) await cleanup();
  return results;
}

/** Why a program does not end well; null if it does. */
async function failure([command, ...words], cwd, env) {
  const child = spawn(command, words, { cwd, timeout: 20_000, env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  const [code, signal] = await once(child, "close");
  return code === 0 ? null : `exit code ${code ?? signal}\n${said}`;
}
