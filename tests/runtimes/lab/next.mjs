// Next.js: a page, a route on Node and one on its edge runtime, built and served as for production.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HERE } from "./consumer.mjs";
import { run } from "./runtimes/process.mjs";

const NEXT = join(HERE, "node_modules", "next", "dist", "bin", "next");
const env = { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" };

/** Sixty attempts without a delay take a turn of the event loop; a hanging one needs a timer. */
const ROUTE = (runtime) => `
import { backoff, Budget, CircuitBreaker, Policy } from "redress";

export const runtime = "${runtime}";
export const dynamic = "force-dynamic";

const policy = new Policy({
  retry: { strategy: backoff.constant(0), maxAttempts: 60, maxUnknownAttempts: null, attemptTimeoutMs: 20, budget: new Budget({ maxRetries: 100 }) },
  circuitBreaker: new CircuitBreaker(),
});

export async function GET() {
  const attempts = [];
  const value = await policy.call(async ({ attempt }) => {
    attempts.push(attempt);
    if (attempt === 59) await new Promise(() => {});
    if (attempt < 60) throw Object.assign(new Error("down"), { status: 503 });
    return attempts.length;
  });
  return Response.json({ value, state: policy.circuitBreaker.state });
}
`;

const FILES = {
  "package.json": JSON.stringify({ name: "next-app", private: true, dependencies: { redress: "*" } }),
  "next.config.mjs": `export default { turbopack: { root: ${JSON.stringify(HERE)} } };`,
  "app/layout.jsx": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }",
  "app/page.jsx": `"use client";
import { retry } from "redress";
import { useEffect, useState } from "react";
export default function Page() {
  const [text, show] = useState("waiting");
  useEffect(() => void retry(() => "ready").then(show), []);
  return <p>{text}</p>;
}`,
  "app/node/route.js": ROUTE("nodejs"),
  "app/edge/route.js": ROUTE("edge"),
};

/** The results: whether it builds, and what its routes answer. */
export async function checkNext({ project }) {
  // Beside the packages, as Next.js looks for its own in folders above.
  const out = join(HERE, "out");
  mkdirSync(out, { recursive: true });
  const folder = mkdtempSync(join(out, "next-"));
  try {
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    cpSync(join(project, "node_modules", "redress"), join(folder, "node_modules", "redress"), { recursive: true });
    const { code, stdout, stderr } = await run([process.execPath, NEXT, "build"], { cwd: folder, env });
    const built = { name: "next: it builds", error: code === 0 ? null : `${stdout}\n${stderr}` };
    return code === 0 ? [built, ...(await served(folder))] : [built];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function served(folder) {
  const server = spawn(process.execPath, [NEXT, "start", "--port", "0"], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = once(server, "exit");
  try {
    const base = await Promise.race([address(server, () => said), ended.then(() => undefined)]);
    if (base === undefined) return [{ name: "next: it starts", error: said }];
    const results = [];
    for (const runtime of ["node", "edge"]) {
      const response = await fetch(`${base}/${runtime}`);
      const text = await response.text();
      const right = text === '{"value":60,"state":"closed"}';
      const error = right ? null : `${response.status} ${text}\n${said}`;
      results.push({ name: `next: a route on ${runtime} makes its sixty attempts, of which one hangs`, error });
    }
    return results;
  } finally {
    server.kill("SIGKILL");
    await ended;
  }
}

/** Where it listens, as soon as it says so. */
async function address(server, said) {
  for (;;) {
    const found = /http:\/\/localhost:\d+/.exec(said());
    if (found !== null && said().includes("Ready")) return found[0];
    await Promise.race([once(server.stdout, "data"), once(server, "exit")]);
    if (server.exitCode !== null) return undefined;
  }
}
