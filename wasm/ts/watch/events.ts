// What events say to those who watch.

import type { PolicyEvent } from "../types.js";

/** Whether this event says how its call ended. */
export function endsCall({ event, stopReason }: PolicyEvent): boolean {
  return stopReason !== undefined || event === "success" || event === "circuit_rejected";
}

/** Whether it is about a breaker's new state, and no part of a call. */
export function changesCircuit({ event }: PolicyEvent): boolean {
  return event === "circuit_opened" || event === "circuit_half_open" || event === "circuit_closed";
}

/** How grave an event is. */
export function levelOf(event: PolicyEvent): "debug" | "info" | "warn" {
  if (event.event === "success") return "debug";
  return event.event === "circuit_half_open" || event.event === "circuit_closed" ? "info" : "warn";
}
