// A server of HTTP that plays a script, a step for each request, the last step again and again.
//
//   200, 503, ..           that status
//   { status, headers, body, hints }      with `hints` a 103 goes before it
//   "reset"                a reset before any answer
//   "hang"                 no answer at all
//   "half"                 half a body, then a reset
//   "stream"               200, a first chunk at once, and the rest when `rest()` is called
//   "busy stream"          the same with 503

import { once } from "node:events";
import { createServer } from "node:http";

/** Starts it; its address, the requests that came, and what stops it. */
export async function startScripted(script, { cleanup }) {
  const requests = [];
  const waiting = [];
  const streams = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    const { method, url, headers } = request;
    const step = script[Math.min(requests.length, script.length - 1)];
    const seen = { method, url, headers, body: "", isClosed: false };
    requests.push(seen);
    response.on("close", () => {
      seen.isClosed = true;
      for (const one of waiting.splice(0)) one();
    });
    for (const one of waiting.splice(0)) one();
    if (step === "reset") return request.socket.resetAndDestroy();
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      // The client has gone.
      return;
    }
    seen.body = Buffer.concat(chunks).toString();
    answer(step, request, response, streams);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const stop = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  cleanup(stop);
  return {
    port,
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    requests,
    stop,
    /** Lets the rest of all streams come. */
    rest() {
      for (const response of streams.splice(0)) response.end("the rest");
    },
    /** Resolves once it is so, looked at whenever a request comes or an answer ends. */
    async until(isSo) {
      while (!isSo()) await new Promise((resolve) => waiting.push(resolve));
    },
  };
}

function answer(step, request, response, streams) {
  if (step === "hang") return;
  if (step === "half") {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    response.write('{"half":', () => request.socket.resetAndDestroy());
    return;
  }
  if (step === "stream" || step === "busy stream") {
    response.writeHead(step === "stream" ? 200 : 503, { "content-type": "text/plain" });
    response.write("first,");
    streams.push(response);
    return;
  }
  const { status, headers = {}, body = { status }, hints } = typeof step === "number" ? { status: step } : step;
  if (hints) response.writeEarlyHints({ link: "</style.css>; rel=preload" });
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(request.method === "HEAD" ? undefined : JSON.stringify(body));
}

/** An address at which nothing listens. */
export async function refusedUrl() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}
