// A server that takes connections and answers nothing, or resets them.

import { once } from "node:events";
import { createServer } from "node:net";

/** Starts both: their ports. */
export async function startTcp() {
  const sockets = new Set();
  const listening = async (take) => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
      take(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  const silent = await listening((socket) => socket.resume());
  const resetting = await listening((socket) => socket.once("data", () => socket.resetAndDestroy()));
  return {
    silent: silent.address().port,
    resetting: resetting.address().port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      for (const server of [silent, resetting]) server.close();
    },
  };
}
