// What clients of HTTP throw where the program aborts, and where a time of their own is over: `node cancelled.mjs BASE`.
// Prints by title what went wrong, null if nothing did.

import assert from "node:assert/strict";
import axios from "axios";
import OpenAI from "openai";
import { backoff, CircuitBreaker, classify, Policy } from "redress";
import * as undici from "undici";

const [, , base] = process.argv;
let requests = 0;
const url = () => `${base}/flaky/cancelled-${(requests += 1)}?script=hang`;
const openai = (options) => new OpenAI({ apiKey: "none", maxRetries: 0, baseURL: base, ...options });
const ask = (client, signal) =>
  client.get(`/flaky/cancelled-${(requests += 1)}`, { query: { script: "hang" }, ...(signal && { signal }) });
const dispatcher = (options) => new undici.Agent(options);

/** Each: with a signal of the program's own, and with a time-out of the client's. */
const CLIENTS = {
  axios: [(signal) => axios.get(url(), { signal }), () => axios.get(url(), { timeout: 50 })],
  "axios by fetch": [
    (signal) => axios.get(url(), { signal, adapter: "fetch" }),
    () => axios.get(url(), { timeout: 50, adapter: "fetch" }),
  ],
  "axios, clear about its time-outs": [
    (signal) => axios.get(url(), { signal, transitional: { clarifyTimeoutError: true } }),
    () => axios.get(url(), { timeout: 50, transitional: { clarifyTimeoutError: true } }),
  ],
  "undici.request": [
    (signal) => undici.request(url(), { signal }),
    () => undici.request(url(), { dispatcher: dispatcher({ headersTimeout: 50 }) }),
  ],
  "undici.fetch": [
    (signal) => undici.fetch(url(), { signal }),
    () => undici.fetch(url(), { dispatcher: dispatcher({ headersTimeout: 50 }) }),
  ],
  "undici.fetch with AbortSignal.timeout": [
    (signal) => undici.fetch(url(), { signal }),
    () => undici.fetch(url(), { signal: AbortSignal.timeout(50) }),
  ],
  fetch: [(signal) => fetch(url(), { signal }), () => fetch(url(), { signal: AbortSignal.timeout(50) })],
  openai: [(signal) => ask(openai(), signal), () => ask(openai({ timeout: 50 }))],
};

/** The time-outs of openai are named "Error": by their type they are told from others. */
const classifier = (error) =>
  error instanceof OpenAI.APIConnectionTimeoutError ? "TRANSIENT" : classify.default(error);

function policy() {
  const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
  const retry = { classifier, strategy: backoff.constant(0), maxAttempts: 2, maxUnknownAttempts: null };
  return { circuitBreaker, execute: (operation) => new Policy({ retry, circuitBreaker }).execute(operation) };
}

const results = {};
for (const [name, [aborted, timedOut]] of Object.entries(CLIENTS)) {
  const cases = {
    "aborted by the program ends as ABORTED, and its breaker counts nothing": async () => {
      const { circuitBreaker, execute } = policy();
      const outcome = await execute(() => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 50);
        return aborted(controller.signal);
      });
      assert.deepEqual(
        [outcome.stopReason, outcome.attempts, circuitBreaker.state],
        ["ABORTED", 1, "closed"],
        said(outcome),
      );
    },
    "whose own time is over is TRANSIENT, and retried": async () => {
      const { circuitBreaker, execute } = policy();
      const outcome = await execute(timedOut);
      assert.deepEqual(
        [outcome.lastClass, outcome.attempts, outcome.stopReason, circuitBreaker.state],
        ["TRANSIENT", 2, "MAX_ATTEMPTS_GLOBAL", "open"],
        said(outcome),
      );
    },
  };
  for (const [title, body] of Object.entries(cases)) {
    try {
      await body();
      results[`${name} ${title}`] = null;
    } catch (error) {
      results[`${name} ${title}`] = String(error?.stack ?? error);
    }
  }
}

function said({ error, ...outcome }) {
  const { name, code, message } = error ?? {};
  return JSON.stringify({
    ...outcome,
    constructor: error?.constructor?.name,
    name,
    code,
    message,
    cause: error?.cause?.name,
  });
}

console.log(JSON.stringify(results));
process.exit();
