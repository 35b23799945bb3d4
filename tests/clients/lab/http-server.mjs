// A server of HTTP and one of HTTPS that play faults: the path says which.
//
//   /status/429?retry-after=2   that status, with the headers of the query
//   /json/429                   the same, with the body that was posted to `bodies`
//   /reset                      half a body, then a reset
//   /lost                       a reset before any answer
//   /hang                       no answer at all

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { join } from "node:path";
import { freePort, temporary } from "./processes.mjs";

/** The answer to the fault that a path names. */
function answer(request, response) {
  const url = new URL(request.url, "http://localhost");
  const [fault, number] = url.pathname.split("/").slice(1);
  if (fault === "hang") return;
  if (fault === "lost") {
    request.socket.resetAndDestroy();
    return;
  }
  if (fault === "reset") {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    response.write('{"half":');
    setImmediate(() => setTimeout(() => request.socket.resetAndDestroy(), 5));
    return;
  }
  response.writeHead(Number(number), { "content-type": "application/json", ...Object.fromEntries(url.searchParams) });
  response.end(JSON.stringify({ message: `status ${number}` }));
}

async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

/** A certificate for a name that no test asks for, signed by itself. */
function certificate() {
  const folder = temporary("certificate");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere.invalid"];
  const name = ["-addext", "subjectAltName=DNS:elsewhere.invalid"];
  execFileSync("openssl", [...words, ...name, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** Starts a server of HTTP whose requests `handler` answers; its address, and what stops it. */
export async function serve(handler) {
  const server = createServer(handler);
  const port = await listening(server);
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { port, url: `http://127.0.0.1:${port}`, stop };
}

/** Starts both: the addresses, and the certificate that a client has to trust to see that it is another's. */
export async function startHttp() {
  const plain = await serve(answer);
  const { key, cert } = certificate();
  const secure = createSecureServer({ key, cert }, answer);
  const port = await listening(secure);
  return {
    url: plain.url,
    secureUrl: `https://127.0.0.1:${port}`,
    refusedUrl: `http://127.0.0.1:${await freePort()}`,
    unknownUrl: "http://no-such-host.invalid",
    cert,
    async stop() {
      secure.closeAllConnections();
      secure.close();
      await plain.stop();
    },
  };
}
