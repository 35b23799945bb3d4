// What the page shows, and its form in the address.

import type { ErrorClass } from "redress";
import { CLASSES, issuesOf, SCENE, type Scene } from "./scene.js";
import { isObject, normalized, type Settings } from "./settings.js";

export interface State {
  readonly settings: Settings;
  readonly scene: Scene;
  /** The class of the failures whose delays are shown. */
  readonly shown: ErrorClass;
}

/** What can be chosen at the top of the page. */
export const EXAMPLES: Readonly<Record<string, State>> = {
  "An outage of two minutes": {
    settings: {
      retry: {
        maxAttempts: 4,
        deadlineMs: 20_000,
        attemptTimeoutMs: 2_000,
        strategy: { kind: "fullJitter", baseMs: 200, maxMs: 5_000 },
        strategies: { RATE_LIMIT: { kind: "retryAfterOr", fallback: { kind: "equalJitter", baseMs: 1_000 } } },
      },
      budget: { ratio: 0.1 },
      circuitBreaker: { failureThreshold: 20, windowMs: 10_000, recoveryTimeoutMs: 10_000 },
    },
    scene: SCENE,
    shown: "SERVER_ERROR",
  },
  "A retry storm: one call each to a service that is down": {
    settings: {
      retry: { maxAttempts: 4, strategy: { kind: "fullJitter" } },
      budget: { ratio: 0.1, initial: 0, floorPerSec: 0 },
    },
    scene: { ...SCENE, everyMs: 600_000, outageAtMs: 0, outageMs: 3_600_000, mix: { SERVER_ERROR: 100 } },
    shown: "SERVER_ERROR",
  },
  "A service that hangs": {
    settings: {
      retry: {
        maxAttempts: 3,
        attemptTimeoutMs: 1_000,
        deadlineMs: 5_000,
        strategy: { kind: "decorrelatedJitter", maxMs: 2_000 },
      },
      budget: { ratio: 0.2 },
      circuitBreaker: {
        window: { kind: "time", ms: 20_000, rate: 0.5, minCalls: 20 },
        recoveryTimeoutMs: 5_000,
        maxRecoveryTimeoutMs: 40_000,
      },
    },
    scene: { ...SCENE, outageLatencyMs: 30_000, mix: { TRANSIENT: 100 } },
    shown: "TRANSIENT",
  },
  "Too many requests, with a Retry-After": {
    settings: {
      retry: {
        maxAttempts: 5,
        strategy: { kind: "exponential", baseMs: 100, maxMs: 2_000 },
        strategies: {
          RATE_LIMIT: {
            kind: "retryAfterOr",
            jitterMs: 2_000,
            atMostMs: 30_000,
            fallback: { kind: "fullJitter", baseMs: 500 },
          },
        },
      },
      circuitBreaker: { openForHintMs: 30_000 },
    },
    scene: { ...SCENE, failing: 60, retryAfterMs: 10_000, mix: { RATE_LIMIT: 100 } },
    shown: "RATE_LIMIT",
  },
};

export const [START] = Object.values(EXAMPLES) as [State];

/** The state as the part of the address after `#`. */
export function hashOf(state: State): string {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `#p=${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** The state of an address; null for one that has none. An Error says why it cannot be read. */
export function stateOf(hash: string): State | null {
  if (hash === "" || hash === "#") return null;
  if (!hash.startsWith("#p=")) throw new Error("it does not begin with #p=");
  const { settings, scene, shown } = parsed(hash.slice(3));
  if (!isObject(settings) || !isObject(scene)) throw new Error("it has no policy and no scene");
  const [issue] = issuesOf(scene);
  if (issue !== undefined) throw new Error(`${issue.path}: ${issue.message}`);
  const name = CLASSES.find((one) => one === shown) ?? START.shown;
  return { settings: normalized(settings), scene: { ...SCENE, ...scene }, shown: name };
}

function parsed(text: string): Settings {
  let json: string;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    json = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("it is cut or changed");
  }
  try {
    const value: unknown = JSON.parse(json);
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new Error("it is cut or changed");
}
