// A flaky origin: it behaves as it is told, and counts what reaches it.

import { once } from "node:events";
import { createServer } from "node:http";

/** `behave(n, path)` says of the n-th request: a status, "reset" or "hang". */
export async function startOrigin({ behave = () => 200, retryAfter = null } = {}) {
  const origin = { requests: [], behave, retryAfter };
  const server = createServer((request, response) => {
    origin.requests.push({ method: request.method, path: request.url, atMs: performance.now() });
    const how = origin.behave(origin.requests.length, request.url);
    if (how === "hang") return;
    if (how === "reset") return request.socket.resetAndDestroy();
    if (how >= 400 && origin.retryAfter !== null) response.setHeader("retry-after", origin.retryAfter);
    response.writeHead(how, { "content-type": "text/plain" });
    response.end(`origin says ${how}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin.url = `http://127.0.0.1:${server.address().port}`;
  /** Waits for a request to come. */
  origin.next = () => once(server, "request");
  origin.stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return origin;
}
