// A server of SMTP that answers as it is told to.

import { once } from "node:events";
import { createServer } from "node:net";
import { SMTPServer } from "smtp-server";

/** Starts it; `play` says what the next message meets with. */
export async function startSmtp() {
  let faults = {};
  const answer = (step) => (_, __, callback) => {
    const code = faults[step];
    callback(code === undefined ? null : Object.assign(new Error(`fault ${code}`), { responseCode: code }));
  };
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    onAuth({ password }, _, callback) {
      if (password === "visitor") callback(null, { user: "visitor" });
      else callback(Object.assign(new Error("wrong password"), { responseCode: 535 }));
    },
    onMailFrom: answer("from"),
    onRcptTo: answer("to"),
    onData(stream, session, callback) {
      stream.on("end", () => answer("data")(stream, session, callback)).resume();
    },
  });
  server.on("error", () => {});
  const front = createServer((socket) => {
    socket.on("error", () => {});
    if (faults.lost) socket.resetAndDestroy();
    else if (!faults.hang) server.connect(socket);
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    port: front.address().port,
    play(next) {
      faults = next;
    },
    async stop() {
      front.close();
      server.close();
    },
  };
}
