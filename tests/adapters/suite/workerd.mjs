// Hono in a worker of Cloudflare: workerd, by miniflare, with the core as a module of the bundle.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { assert, run, test } from "../lab/harness.mjs";
import { startScripted } from "../lab/server.mjs";

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));

/** A worker of this source, bundled as wrangler does. */
async function worker({ cleanup }, bindings) {
  const wasm = new Map();
  const keepWasm = {
    name: "wasm",
    setup(esbuild) {
      esbuild.onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        wasm.set(basename(path), join(resolveDir, path));
        return { path: `./${basename(path)}`, external: true };
      });
    },
  };
  const { outputFiles } = await build({
    entryPoints: [join(PROJECT, "lab", "worker.mjs")],
    absWorkingDir: PROJECT,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser"],
    plugins: [keepWasm],
    logLevel: "silent",
  });
  const modules = [
    { type: "ESModule", path: "worker.js", contents: outputFiles[0].text },
    ...[...wasm].map(([path, file]) => ({ type: "CompiledWasm", path, contents: readFileSync(file) })),
  ];
  const compatibilityFlags = ["enable_request_signal"];
  const miniflare = new Miniflare({ compatibilityDate: "2026-07-01", compatibilityFlags, modules, bindings });
  cleanup(() => miniflare.dispose());
  return (path, headers) => miniflare.dispatchFetch(`http://worker.test${path}`, { headers });
}

const told = async (response) => [response.status, response.headers.get("retry-after"), await response.text()];

test("workerd: an open breaker is 503 with Retry-After, other failures 502", async (lab) => {
  const upstream = await startScripted([503], lab);
  const get = await worker(lab, { UPSTREAM: upstream.url });
  assert.deepEqual(await told(await get("/product/7")), [502, null, "a service has failed"]);
  assert.deepEqual(await told(await get("/product/7")), [503, "3", "the service is not available"]);
  const { status, upstreams } = await (await get("/health")).json();
  assert.deepEqual([status, upstreams.stock.breaker.state], ["ready", "open"]);
});

test("workerd: the request's deadline is that of the calls, and handed on", async (lab) => {
  const upstream = await startScripted([200], lab);
  const get = await worker(lab, { UPSTREAM: upstream.url });
  const response = await get("/product/7", { "x-request-deadline": "4000" });
  const { deadlineMs, operation } = await response.json();
  assert.ok(deadlineMs <= 4_000 && deadlineMs > 2_000, `${deadlineMs}`);
  assert.equal(operation, "GET /product/:id");
});

test("workerd: a call under way at the deadline is 504", async (lab) => {
  const upstream = await startScripted(["hang"], lab);
  const get = await worker(lab, { UPSTREAM: upstream.url });
  assert.deepEqual(await told(await get("/product/7", { "x-request-deadline": "150" })), [
    504,
    null,
    "the request took too long",
  ]);
});

test("workerd: a deadline that cannot be read is 400", async (lab) => {
  const upstream = await startScripted([200], lab);
  const get = await worker(lab, { UPSTREAM: upstream.url });
  assert.deepEqual(await told(await get("/product/7", { "grpc-timeout": "soon" })), [
    400,
    null,
    'grpc-timeout: "soon" is not 1 to 8 digits and one of H, M, S, m, u and n',
  ]);
  assert.equal(upstream.requests.length, 0);
});

await run();
