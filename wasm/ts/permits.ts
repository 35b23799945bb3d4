// Permits that are out, by their addresses: each goes back once, to the breaker that it came from. What is written to
// any other address would be somebody else's.

import { show } from "./options.js";

const out = new Map<number, number>();

/** Notes a permit of the breaker in `slot`. */
export function handedOut(permit: number, slot: number): number {
  out.set(permit, slot);
  return permit;
}

/** Checks a permit that comes back to the breaker in `slot`. */
export function takenBack(permit: number, slot: number): number {
  if (out.get(permit) !== slot) {
    throw new TypeError(`settle: ${show(permit)} is not a permit of this breaker, or it was settled before`);
  }
  out.delete(permit);
  return permit;
}
