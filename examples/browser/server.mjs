// Serves the page, and takes uploads in pieces as a bad network would: every few requests
// one fails. `node server.mjs [PORT]`.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };
const here = dirname(fileURLToPath(import.meta.url));

/** Where the installed package is, and what its `exports` give to a browser. */
function redress() {
  const manifestPath = createRequire(import.meta.url).resolve("redress/package.json");
  const choose = (target) => {
    if (typeof target === "string") return target;
    const key = Object.keys(target).find((name) => ["browser", "import", "default"].includes(name));
    return choose(target[key]);
  };
  const exported = createRequire(import.meta.url)("redress/package.json").exports["."];
  return { folder: dirname(manifestPath), entry: normalize(choose(exported)) };
}

/** What the n-th request meets: most are well, the rest fail in every way there is. */
export function badNetwork(n) {
  if (n % 11 === 4) return { fail: "limit" };
  if (n % 7 === 3) return { fail: "busy" };
  if (n % 9 === 5) return { fail: "reset" };
  return { delayMs: 30 + ((n * 37) % 60) };
}

/** Starts the server; `network(n)` says what the n-th piece meets. */
export async function startServer({ port = 0, network = badNetwork } = {}) {
  const { folder, entry } = redress();
  const uploads = new Map();
  const state = { requests: 0, uploads, network };

  async function take(request, response) {
    const [, , name, piece] = request.url.split("/");
    state.requests += 1;
    const { fail, delayMs = 0 } = state.network(state.requests);
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    if (fail === "hang") return;
    if (fail === "reset") return void request.socket.resetAndDestroy();
    if (fail === "limit") return void response.writeHead(429, { "retry-after": "1" }).end();
    if (fail === "busy") return void response.writeHead(503).end();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const pieces = uploads.get(name) ?? new Map();
    uploads.set(name, pieces.set(Number(piece), Buffer.concat(chunks)));
    response.writeHead(204).end();
  }

  async function serve(path, response) {
    const file = path.startsWith("/redress/") ? join(folder, path.slice(9)) : join(here, "page", path);
    let content = await readFile(file);
    if (path === "/index.html") content = String(content).replace("REDRESS", `/redress/${entry}`);
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    response.end(content);
  }

  const server = createServer((request, response) => {
    // A browser repeats a request by itself whose kept connection is reset; on a new one it does not.
    response.setHeader("connection", "close");
    if (request.method === "PUT" && request.url.startsWith("/upload/")) return void take(request, response);
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    serve(path === "/" ? "/index.html" : path, response).catch(() => response.writeHead(404).end());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(state, {
    url: `http://127.0.0.1:${server.address().port}`,
    /** The bytes of an upload, its pieces put together. */
    bytes: (name) => Buffer.concat([...(uploads.get(name) ?? [])].sort(([a], [b]) => a - b).map(([, chunk]) => chunk)),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const server = await startServer({ port: Number(process.argv[2] ?? 8080) });
  console.log(`open ${server.url}`);
}
