// Policies whose code is compiled: the page's examples, and one with everything.

import { PolicyJson, show } from "redress/lint";
import { rustOf } from "../src/code/rust.js";
import { typescriptOf } from "../src/code/typescript.js";
import type { Settings } from "../src/settings.js";
import { EXAMPLES } from "../src/state.js";

const MORE: readonly Settings[] = [
  {
    retry: {
      maxAttempts: null,
      deadlineMs: null,
      attemptTimeoutMs: 1_500.5,
      maxUnknownAttempts: null,
      longDelay: "cut",
      perClassMaxAttempts: { CONCURRENCY: 3 },
      retriable: { AUTH: 1 },
      strategy: { kind: "exponential", baseMs: 50, maxMs: null, factor: 1.5, jitterMs: 20 },
      strategies: {
        RATE_LIMIT: {
          kind: "retryAfterOr",
          atLeastMs: 100,
          atMostMs: 60_000,
          jitterMs: 0,
          fallback: { kind: "sequence", delaysMs: [100, 200, 400] },
        },
        CONCURRENCY: { kind: "constant", delayMs: 10, jitterMs: 5 },
        TRANSIENT: {
          kind: "adaptive",
          windowMs: 30_000,
          targetSuccess: 0.8,
          maxMultiplier: 3,
          fallback: "tokenBackoff",
        },
        AUTH: "fibonacci",
        UNKNOWN: "linear",
      },
      budget: { maxRetries: 50, windowMs: 10_000 },
    },
    circuitBreaker: {
      failureThreshold: 7,
      windowMs: 5_000,
      classThresholds: { RATE_LIMIT: 3 },
      tripOn: ["TRANSIENT", "SERVER_ERROR", "RATE_LIMIT"],
      halfOpenOn: ["SERVER_ERROR"],
      recoveryTimeoutMs: 1_000,
      maxRecoveryTimeoutMs: 60_000,
      recoveryJitterMs: 250,
      leaseMs: 5_000,
      halfOpenPermits: 2,
      successesToClose: 3,
      checkBeforeRetry: true,
      openForHintMs: 10_000,
    },
  },
  {
    retry: { strategy: "equalJitter", initialDelayMs: 50 },
    circuitBreaker: { window: { kind: "calls", size: 50, rate: 0.5, minCalls: 20 } },
  },
  {
    retry: {
      strategy: { kind: "adaptive", minMultiplier: 0.5, fallback: { kind: "decorrelatedJitter", baseMs: 0.5 } },
    },
    circuitBreaker: {
      window: { kind: "time", ms: 10_000, rate: 0.25, minCalls: 5, slow: { afterMs: 900, rate: 0.5 } },
    },
  },
];

/** The code of each, and the values that it comes to, as the linter prints them. */
export const samples = [...Object.values(EXAMPLES).map(({ settings }) => settings), ...MORE].map((settings, nth) => ({
  name: `sample_${nth}`,
  typescript: typescriptOf(settings),
  rust: rustOf(settings),
  shown: show(new PolicyJson(settings), "upstream"),
}));
