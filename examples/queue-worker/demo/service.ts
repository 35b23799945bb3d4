// The service that the jobs ask: it charges once for each idempotency key, and fails as it is told to.

import { once } from "node:events";
import { createServer } from "node:http";

/** A request as it came. */
export interface Asked {
  readonly id: string;
  readonly attempt: number;
  readonly worker: number;
  readonly at: number;
}

export async function startService() {
  const service = {
    url: "",
    isOut: false,
    requests: [] as Asked[],
    /** How much was charged for each key. */
    charged: new Map<string, number>(),
    /** Answers by charges that were made already, which a repeated request gets. */
    repeated: 0,
    held: undefined as ((asked: Asked) => void) | undefined,
    /** Holds the next request for good; what it was. */
    holdNext: () =>
      new Promise<Asked>((resolve) => {
        service.held = resolve;
      }),
  };
  const server = createServer(async (request, response) => {
    const of = (name: string) => String(request.headers[name]);
    const id = of("idempotency-key");
    const asked = { id, attempt: Number(of("x-attempt")), worker: Number(of("x-worker")), at: Date.now() };
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part);
    } catch {
      // Its worker was killed.
      return;
    }
    service.requests.push(asked);
    if (service.isOut) {
      response.writeHead(503).end();
      return;
    }
    const { cents } = JSON.parse(Buffer.concat(parts).toString());
    if (service.charged.has(id)) service.repeated += 1;
    else service.charged.set(id, cents);
    const held = service.held;
    service.held = undefined;
    // The charge is made, and its worker does not come to know.
    if (held) held(asked);
    else response.end(JSON.stringify({ charged: cents }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  service.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return Object.assign(service, { stop });
}
