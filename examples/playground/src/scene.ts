// What the policy meets: callers, and a service that fails for a while.

import type { ErrorClass } from "redress";

export const CLASSES: readonly ErrorClass[] = [
  "SERVER_ERROR",
  "TRANSIENT",
  "RATE_LIMIT",
  "CONCURRENCY",
  "UNKNOWN",
  "AUTH",
  "PERMISSION",
  "PERMANENT",
];

/** How long it is looked at, in milliseconds. */
export const SPAN_MS = 600_000;

export interface Scene {
  /** How many callers there are. */
  readonly callers: number;
  /** How often each of them begins a call, in milliseconds, or later if the one before takes longer. */
  readonly everyMs: number;
  /** When the outage begins, and how long it is, in milliseconds. */
  readonly outageAtMs: number;
  readonly outageMs: number;
  /** What share of the attempts fails in the outage, in percent. */
  readonly failing: number;
  /** How long an answer takes: by and large, and in the outage, in milliseconds. */
  readonly latencyMs: number;
  readonly outageLatencyMs: number;
  /** What a RATE_LIMIT says of when to come back, in milliseconds; null for nothing. */
  readonly retryAfterMs: number | null;
  /** Shares of the classes among the failures, in any unit. */
  readonly mix: { readonly [name in ErrorClass]?: number };
  /** Of all random numbers. */
  readonly seed: number;
}

export const SCENE: Scene = {
  callers: 200,
  everyMs: 5_000,
  outageAtMs: 120_000,
  outageMs: 120_000,
  failing: 100,
  latencyMs: 80,
  outageLatencyMs: 80,
  retryAfterMs: 5_000,
  mix: { SERVER_ERROR: 60, TRANSIENT: 30, RATE_LIMIT: 10 },
  seed: 1,
};

/** The least and the most of each number. */
export const RANGES: Readonly<Record<string, readonly [min: number, max: number]>> = {
  callers: [1, 1_000],
  everyMs: [100, SPAN_MS],
  outageAtMs: [0, SPAN_MS],
  outageMs: [0, 6 * SPAN_MS],
  failing: [0, 100],
  latencyMs: [0, 60_000],
  outageLatencyMs: [0, 600_000],
  retryAfterMs: [0, 3_600_000],
  seed: [0, 2 ** 31],
};

/** What is wrong with a scene, by path; nothing if it can be played. */
export function issuesOf(scene: object): { readonly path: string; readonly message: string }[] {
  const issues: { path: string; message: string }[] = [];
  const check = (path: string, value: unknown, [min, max]: readonly [number, number]) => {
    if (typeof value === "number" && value >= min && value <= max) return;
    const shown = JSON.stringify(value) ?? "not set";
    issues.push({ path: `scene.${path}`, message: `${shown} is no number from ${min} to ${max}` });
  };
  const { mix, retryAfterMs, ...numbers } = { ...SCENE, ...scene };
  for (const [path, range] of Object.entries(RANGES))
    if (path !== "retryAfterMs") check(path, (numbers as Record<string, unknown>)[path], range);
  if (retryAfterMs !== null) check("retryAfterMs", retryAfterMs, RANGES["retryAfterMs"]!);
  for (const [name, share] of Object.entries(mix ?? {})) {
    if (CLASSES.includes(name as ErrorClass)) check(`mix.${name}`, share, [0, 1_000]);
    else issues.push({ path: `scene.mix.${name}`, message: `is no class; there are ${CLASSES.join(", ")}` });
  }
  if (issues.length === 0 && !Object.values(mix).some((share) => share > 0))
    issues.push({ path: `scene.mix.${CLASSES[0]}`, message: "no class has a share above 0" });
  return issues;
}
