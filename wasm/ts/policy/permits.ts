// Permits that are out: each goes back once, to the breaker that it came from.

import { show } from "../config/issues.js";

let latest = 0;

/** The permits of one breaker that are out. Each has a number that no other ever had, so that one that went back is not taken for a later one. */
export class Permits {
  readonly #out = new Map<number, number>();

  /** Hands out the permit in a slot. */
  hand(slot: number): number {
    latest += 1;
    this.#out.set(latest, slot);
    return latest;
  }

  /** Takes a permit back; its slot. */
  take(permit: number): number {
    const slot = this.#out.get(permit);
    if (slot === undefined) {
      throw new TypeError(`settle: ${show(permit)} is not a permit of this breaker, or it was settled before`);
    }
    this.#out.delete(permit);
    return slot;
  }
}
