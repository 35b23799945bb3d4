// Clients of gRPC.

import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { Lab, service, startGrpc } from "../lab/grpc-server.mjs";
import { freePort } from "../lab/processes.mjs";

/** Each: calls a server with what it is asked for, for so long. */
const CLIENTS = {
  "@grpc/grpc-js": async (port, request, deadlineMs) => {
    const Client = grpc.makeGenericClientConstructor(service, "Lab");
    const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    try {
      return await new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + deadlineMs };
        client.call(JSON.stringify(request), options, (error, value) => (error ? reject(error) : resolve(value)));
      });
    } finally {
      client.close();
    }
  },
  "@connectrpc/connect-node": async (port, request, deadlineMs) => {
    const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}`, idleConnectionTimeoutMs: 10 });
    return createClient(Lab, transport).call({ value: JSON.stringify(request) }, { timeoutMs: deadlineMs });
  },
};

/** The class of each code. UNKNOWN is what such a status says: no more is known. */
const CODES = {
  CANCELLED: "PERMANENT",
  UNKNOWN: "UNKNOWN",
  INVALID_ARGUMENT: "PERMANENT",
  DEADLINE_EXCEEDED: "TRANSIENT",
  NOT_FOUND: "PERMANENT",
  ALREADY_EXISTS: "PERMANENT",
  PERMISSION_DENIED: "PERMISSION",
  RESOURCE_EXHAUSTED: "RATE_LIMIT",
  FAILED_PRECONDITION: "PERMANENT",
  ABORTED: "CONCURRENCY",
  OUT_OF_RANGE: "PERMANENT",
  UNIMPLEMENTED: "PERMANENT",
  INTERNAL: "SERVER_ERROR",
  UNAVAILABLE: "TRANSIENT",
  DATA_LOSS: "SERVER_ERROR",
  UNAUTHENTICATED: "AUTH",
};

async function rows(client, call, { row, shared }) {
  const server = await shared("grpc", startGrpc);
  const fault = (name, want, provoke, more) => row(client, name, want, "grpc", provoke, more);
  const answer = (request) => () => call(server.port, request, 20_000);
  for (const [name, want] of Object.entries(CODES)) {
    await fault(name, want, answer({ code: grpc.status[name] }));
  }
  await fault("deadline", "TRANSIENT", () => call(server.port, { hang: true }, 100));
  await fault("server gone in a call", "TRANSIENT", async () => {
    const hanging = server.hanging();
    const calling = call(server.port, { hang: true }, 20_000);
    calling.catch(() => {});
    await hanging;
    server.cut();
    return calling;
  });
  await fault("refused", "TRANSIENT", async () => call(await freePort(), {}, 20_000));
  const { RESOURCE_EXHAUSTED, UNAVAILABLE } = grpc.status;
  await fault("pushback", "RATE_LIMIT", answer({ code: RESOURCE_EXHAUSTED, pushback: "2000" }), { hintMs: 2_000 });
  await fault("negative pushback: do not retry", "PERMANENT", answer({ code: UNAVAILABLE, pushback: "-1" }));
  await fault("RetryInfo", "TRANSIENT", answer({ code: UNAVAILABLE, retryS: 3 }), { hintMs: 3_500 });
}

export const clients = Object.fromEntries(
  Object.entries(CLIENTS).map(([name, call]) => [name, (lab) => rows(name, call, lab)]),
);
