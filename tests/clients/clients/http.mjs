// Clients of HTTP: what they throw, or return, when a server or a connection fails.

import axios from "axios";
import { Gaxios } from "gaxios";
import got from "got";
import { GraphQLClient } from "graphql-request";
import ky from "ky";
import { ofetch } from "ofetch";
import { Agent, request, fetch as undiciFetch } from "undici";
import { startHttp } from "../lab/http-server.mjs";

/** As long as a client waits for a server that hangs, and for all others. */
const SHORT_MS = 150;
const LONG_MS = 20_000;

const STATUSES = [
  [429, "RATE_LIMIT", { hintMs: 2_000, query: "?retry-after=2" }],
  [503, "SERVER_ERROR", {}],
  [401, "AUTH", {}],
  [404, "PERMANENT", {}],
  // No failure, whatever a client makes of the response.
  [200, "none", {}],
];

/** The rows of a client: `get` fetches a URL and reads its body, trusts one certificate, and waits for so long. */
function rows(client, get, { urls, row }) {
  const fault = (name, want, url, more) =>
    row(client, name, want, "http", () => get(url, urls.cert, name === "hang" ? SHORT_MS : LONG_MS), more);
  const all = [
    fault("refused", "TRANSIENT", urls.refusedUrl),
    fault("reset in the body", "TRANSIENT", `${urls.url}/reset`),
    fault("reset before an answer", "TRANSIENT", `${urls.url}/lost`),
    fault("hang", "TRANSIENT", `${urls.url}/hang`),
    fault("unknown host", "TRANSIENT", urls.unknownUrl),
    fault("certificate of another host", "PERMANENT", urls.secureUrl),
  ];
  for (const [status, want, { hintMs, query = "" }] of STATUSES) {
    all.push(
      fault(`${status}${query && " with Retry-After"}`, want, `${urls.url}/status/${status}${query}`, { hintMs }),
    );
  }
  return Promise.all(all);
}

/** A client whose failures are responses reads the body of those that are none. */
async function bodyOf(response) {
  if (response.ok) await response.text();
  return response;
}

const withFetch = (fetch, dispatcherOf) => async (url, ca, waitMs) => {
  const dispatcher = url.startsWith("https") ? { dispatcher: dispatcherOf(ca) } : {};
  return bodyOf(await fetch(url, { signal: AbortSignal.timeout(waitMs), ...dispatcher }));
};

const trusting = (ca) => new Agent({ connect: { ca } });

const CLIENTS = {
  fetch: withFetch(globalThis.fetch, trusting),
  "undici fetch": withFetch(undiciFetch, trusting),
  "undici request": async (url, ca, waitMs) => {
    const dispatcher = new Agent({ connect: { ca }, headersTimeout: waitMs });
    const response = await request(url, { dispatcher });
    if (response.statusCode < 400) await response.body.text();
    return response;
  },
  axios: async (url, ca, waitMs) => {
    const { Agent } = await import("node:https");
    return axios.get(url, { timeout: waitMs, httpsAgent: new Agent({ ca }) });
  },
  got: (url, ca, waitMs) =>
    got(url, { retry: { limit: 0 }, timeout: { request: waitMs }, https: { certificateAuthority: ca } }),
  ky: async (url, ca, waitMs) => {
    const fetch = (request) => globalThis.fetch(request, { dispatcher: trusting(ca) });
    return ky(url, { retry: 0, timeout: waitMs, fetch }).text();
  },
  gaxios: async (url, ca, waitMs) => {
    const { Agent } = await import("node:https");
    const agent = url.startsWith("https") ? { agent: new Agent({ ca }) } : {};
    return new Gaxios().request({ url, timeout: waitMs, retry: false, ...agent });
  },
  "graphql-request": (url, ca, waitMs) => {
    const fetch = (url, init) => globalThis.fetch(url, { ...init, dispatcher: trusting(ca) });
    const client = new GraphQLClient(url, { fetch, signal: AbortSignal.timeout(waitMs) });
    return client.request("{ one }");
  },
  ofetch: (url, ca, waitMs) => ofetch(url, { retry: 0, timeout: waitMs, dispatcher: trusting(ca) }),
};

/** Packages of the system. */
export const needs = ["openssl"];

export const clients = Object.fromEntries(
  Object.entries(CLIENTS).map(([name, get]) => [
    name,
    async ({ row, shared }) => rows(name, get, { urls: await shared("http", startHttp), row }),
  ]),
);
