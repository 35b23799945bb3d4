// The response by which a server says that a call of its own has failed.

import { outcomeOf } from "../call/outcomes.js";
import { read } from "../classify/facts.js";
import { isLate } from "./incoming.js";

/** A response. */
export interface Refusal {
  /** 503, 504 or 502. */
  readonly status: 502 | 503 | 504;
  /** A sentence without the text of the error, which may hold what is not for the client. */
  readonly sentence: string;
  /** Its headers. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How far down the causes of an error are looked at. */
const LEVELS = 4;

/**
 * The response for an error of a call; undefined for any other error, and for one that a framework's own response is made of.
 *
 * | the call | status |
 * | --- | --- |
 * | was rejected by a breaker, or had no retry left in its budget | 503, with Retry-After if it is known |
 * | ran out of time, or is under way at the request's deadline | 504 |
 * | failed in any other way | 502 |
 */
export function failureOf(error: unknown): Refusal | undefined {
  // Of http-errors, and of Hono.
  if (read(error, "expose") === true || typeof read(error, "getResponse") === "function") return undefined;
  for (let level = 0, one = error; level < LEVELS && one !== undefined; level += 1, one = read(one, "cause")) {
    if (read(one, "code") === "REDRESS_CIRCUIT_OPEN") return unavailable(read(one, "retryAfterMs"));
    if (isLate(one)) return late();
    const outcome = outcomeOf(one);
    if (outcome === undefined) continue;
    const { stopReason, nextSleepMs } = outcome;
    if (stopReason === "CIRCUIT_OPEN" || stopReason === "BUDGET_EXHAUSTED") return unavailable(nextSleepMs);
    return stopReason === "DEADLINE_EXCEEDED" ? late() : refusal(502, "a service has failed");
  }
  return undefined;
}

const refusal = (status: Refusal["status"], sentence: string, more: Record<string, string> = {}): Refusal => ({
  status,
  sentence,
  headers: { "content-type": "text/plain; charset=utf-8", ...more },
});

const late = (): Refusal => refusal(504, "the request took too long");

function unavailable(waitMs: unknown): Refusal {
  const isKnown = typeof waitMs === "number" && waitMs < Infinity;
  return refusal(
    503,
    "the service is not available",
    isKnown ? { "retry-after": String(Math.ceil(waitMs / 1_000)) } : {},
  );
}
