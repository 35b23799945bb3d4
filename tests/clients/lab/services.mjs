// Servers that answer as services do: AWS, and APIs of models.

import { serve } from "./http-server.mjs";

/** Starts a server that answers each request with what `play` was called with last: a status, a body and headers, or `lost` or `hang`. */
export async function startService() {
  let next = {};
  const server = await serve((request, response) => {
    request.resume();
    request.on("end", () => {
      const { fault, status, body, headers = {} } = next;
      if (fault === "hang") return;
      if (fault === "lost") {
        request.socket.resetAndDestroy();
        return;
      }
      const text = typeof body === "string" ? body : JSON.stringify(body);
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(text);
    });
  });
  return {
    ...server,
    play(answer) {
      next = answer;
    },
  };
}
