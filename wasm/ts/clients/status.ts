// A call of gRPC that failed before, between or beside its attempts: the status that says so.

import { read } from "../classify/facts.js";

/** Status codes of gRPC, "Status codes and their use in gRPC". */
export const OK = 0;
const CANCELLED = 1;
const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

/** The code of an error that is none of gRPC: what the policy threw. */
export function codeOf(error: unknown): number {
  if (read(error, "code") === "REDRESS_CIRCUIT_OPEN") return UNAVAILABLE;
  const name = read(error, "name");
  if (name === "TimeoutError") return DEADLINE_EXCEEDED;
  return name === "AbortError" || name === "AbortRetryError" ? CANCELLED : UNKNOWN;
}

/** What an error says. */
export function messageOf(error: unknown): string {
  const message = read(error, "message");
  return typeof message === "string" ? message : String(error);
}
