// The two that are not Debian's: a service with prices that fails as it is told to, and a collector of traces.

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";

async function listening(answer: RequestListener) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { server, stop, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` };
}

export type Prices = Awaited<ReturnType<typeof startPrices>>;

/** Prices of ten times the id. `behave(n)` says of the n-th request (from 1): "ok", "fail" or "hang". */
export async function startPrices() {
  const prices = {
    requests: 0,
    behave: (_: number): "ok" | "fail" | "hang" => "ok",
    /** What a request waits for before it is answered. */
    before: async () => {},
  };
  const { server, stop, url } = await listening(async (request, response) => {
    prices.requests += 1;
    const how = prices.behave(prices.requests);
    if (how === "hang") return;
    await prices.before();
    response.writeHead(how === "ok" ? 200 : 503, { "content-type": "application/json" });
    response.end(JSON.stringify(how === "ok" ? { price: Number(request.url?.split("/").at(-1)) * 10 } : {}));
  });
  return Object.assign(prices, { url, stop, next: () => once(server, "request") });
}

/** What a span over OTLP has, as far as it is looked at. */
export interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly message?: string };
  readonly events: readonly { readonly name: string }[];
}

/** Takes traces over OTLP, as JSON. */
export async function startCollector() {
  const spans: SentSpan[] = [];
  const { stop, url } = await listening(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { resourceSpans } = JSON.parse(Buffer.concat(parts).toString());
    for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
    response.setHeader("content-type", "application/json");
    response.end("{}");
  });
  return { spans, stop, url: `${url}/v1/traces` };
}
