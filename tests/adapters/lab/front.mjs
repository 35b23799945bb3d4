// What is between a client and its server: their connections come through here, where they can be cut.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Starts it before the port of a server; its own port, and what cuts and ends the connections. */
export async function startFront(behind) {
  const sockets = new Set();
  const front = createServer((socket) => {
    const inner = connect(behind, "127.0.0.1");
    sockets.add(socket);
    for (const [from, to] of [
      [socket, inner],
      [inner, socket],
    ]) {
      from.pipe(to);
      from.on("error", () => to.destroy()).on("close", () => to.destroy());
    }
    socket.on("close", () => sockets.delete(socket));
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    port: front.address().port,
    /** Resets all connections. */
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      front.close();
    },
  };
}
