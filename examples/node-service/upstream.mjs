// An upstream that can be told how to behave, and counts what reaches it.

import { once } from "node:events";
import { createServer } from "node:http";

/** `behave(n)` says of the n-th request (from 1): "ok", "fail" or "hang". */
export async function startUpstream(answer, behave = () => "ok") {
  const upstream = { requests: 0, behave };
  const server = createServer((request, response) => {
    upstream.requests += 1;
    const how = upstream.behave(upstream.requests);
    if (how === "hang") return;
    response.writeHead(how === "ok" ? 200 : 503, { "content-type": "application/json" });
    response.end(JSON.stringify(how === "ok" ? answer(request.url.split("/").at(-1)) : {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  upstream.url = `http://127.0.0.1:${server.address().port}`;
  /** Waits for a request to come. */
  upstream.next = () => once(server, "request");
  upstream.stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return upstream;
}

/** The two that the service is built on. */
export async function startUpstreams() {
  const catalog = await startUpstream((id) => ({ id, name: `product ${id}` }));
  const prices = await startUpstream((id) => ({ price: Number(id) * 10 }));
  return { catalog, prices };
}
