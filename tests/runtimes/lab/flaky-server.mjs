// A real HTTP server that fails as it is told.
//
// `/flaky/<id>?script=503,429;retry-after=1,reset,200` answers the first request to that
// id with 503, the second with 429 and the header, resets the third, and so on; the last
// step repeats. `/log/<id>` tells what arrived; with `?arrived=N` once N requests have, with
// `?closed=N` once the N-th was cancelled by its client. Steps:
//
//   NNN[;header=value]..   that status, a short body
//   NNN;retry-after-in=S   Retry-After as the HTTP date S seconds from now
//   reset                  the connection is reset before any answer
//   hang                   no answer at all, until the client gives up
//   trickle                503 with a body that never ends
//   truncate               a body shorter than its Content-Length
//   json                   200 with a body of JSON
//   drip=N                 200 with a body of N lines, 20 ms apart
//
// `/example/..` answers with JSON, always well. Everything else is a file below the root, so that a browser's page has the same origin.

import { EventEmitter, once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".cjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Starts the server on a free port of the loopback interface. */
export async function startFlakyServer({ root, port = 0, mounts = {} } = {}) {
  const logs = new Map();
  const changes = new EventEmitter().setMaxListeners(0);
  const open = new Set();
  let connections = 0;

  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "*");
    response.setHeader("access-control-expose-headers", "*");
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    if (url.pathname.startsWith("/flaky/")) return void answer(request, response, url);
    if (url.pathname.startsWith("/log/")) {
      response.setHeader("content-type", "application/json");
      return void told(url).then((log) => response.end(JSON.stringify(log)));
    }
    if (url.pathname.startsWith("/example")) {
      response.setHeader("content-type", "application/json");
      return void response.end(JSON.stringify({ path: url.pathname.slice(8) }));
    }
    file(response, url.pathname).catch(() => response.writeHead(404).end("no such file"));
  });
  server.on("connection", (socket) => {
    socket.number = ++connections;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => {});
  });

  /** The log of an id, once what is waited for has happened. */
  async function told({ pathname, searchParams }) {
    const id = pathname.slice(5);
    const arrived = Number(searchParams.get("arrived") ?? 0);
    const closed = Number(searchParams.get("closed") ?? 0);
    for (;;) {
      const log = logs.get(id) ?? [];
      if (log.length >= arrived && (closed === 0 || log[closed - 1]?.closedEarly)) return log;
      await once(changes, id);
    }
  }

  async function answer(request, response, url) {
    const id = url.pathname.slice(7);
    const log = logs.get(id) ?? [];
    logs.set(id, log);
    const script = (url.searchParams.get("script") ?? "200").split(",");
    const step = script[Math.min(log.length, script.length - 1)];
    const entry = {
      method: request.method,
      step,
      atMs: Date.now(),
      connection: request.socket.number,
      idempotencyKey: request.headers["idempotency-key"] ?? null,
      body: "",
      closedEarly: false,
    };
    log.push(entry);
    changes.emit(id);
    response.on("close", () => {
      entry.closedEarly = !response.writableFinished;
      changes.emit(id);
    });
    try {
      for await (const chunk of request) entry.body += chunk;
    } catch {
      return;
    }
    perform(step, request, response);
  }

  function perform(step, request, response) {
    if (step === "hang") return;
    if (step === "reset") return request.socket.resetAndDestroy();
    if (step === "truncate") {
      response.writeHead(200, { "content-length": "1000", connection: "close" });
      return void response.write("the beginning", () => request.socket.destroy());
    }
    if (step === "trickle") {
      response.writeHead(503, { "content-type": "text/plain" });
      const timer = setInterval(() => response.write("more\n"), 10);
      return void response.on("close", () => clearInterval(timer));
    }
    if (step === "json") {
      response.writeHead(200, { "content-type": "application/json" });
      return void response.end(JSON.stringify({ answered: 200 }));
    }
    if (step.startsWith("drip=")) {
      response.writeHead(200, { "content-type": "text/plain" });
      let left = Number(step.slice(5));
      const timer = setInterval(() => {
        left -= 1;
        if (left >= 0) response.write("line\n");
        else response.end();
      }, 20);
      return void response.on("close", () => clearInterval(timer));
    }
    const [status, ...headers] = step.split(";");
    for (const header of headers) {
      const [name, value] = header.split("=");
      if (name === "retry-after-in") {
        const due = new Date(Math.ceil(Date.now() / 1000) * 1000 + Number(value) * 1000);
        response.setHeader("retry-after", due.toUTCString());
      } else {
        response.setHeader(name, value);
      }
    }
    response.writeHead(Number(status), { "content-type": "text/plain" });
    response.end(request.method === "HEAD" || status === "204" ? undefined : `answered ${status}`);
  }

  async function file(response, pathname) {
    const [, first, ...rest] = normalize(decodeURIComponent(pathname)).split("/");
    const base = mounts[first];
    const path = base === undefined ? join(root ?? "", first, ...rest) : join(base, ...rest);
    if (root === undefined && base === undefined) throw new Error("nothing to serve");
    const content = await readFile(path);
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    response.setHeader("cache-control", "no-store");
    response.end(content);
  }

  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    log: (id) => logs.get(id) ?? [],
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
