// Virtual time: what is due runs in order, and nothing waits.

import TinyQueue from "tinyqueue";

interface Due {
  readonly atMs: number;
  /** What is due at the same time runs in the order in which it was added. */
  readonly nth: number;
  readonly run: () => void;
}

export class Timeline {
  /** The present, in milliseconds. */
  nowMs = 0;
  #added = 0;
  readonly #due = new TinyQueue<Due>([], (a, b) => a.atMs - b.atMs || a.nth - b.nth);
  /** The present, for policies. */
  readonly clock = (): number => this.nowMs;

  /** Runs this in so many milliseconds. */
  after(ms: number, run: () => void): void {
    this.#due.push({ atMs: this.nowMs + ms, nth: this.#added++, run });
  }

  /** Runs what is due until then, at most so much of it; whether that was all. Until Infinity is until nothing is left. */
  runUntil(endMs: number, most: number): boolean {
    for (let ran = 0; ran < most; ran += 1) {
      const next = this.#due.peek();
      if (next === undefined || next.atMs > endMs) {
        if (endMs !== Infinity) this.nowMs = Math.max(this.nowMs, endMs);
        return true;
      }
      this.#due.pop();
      this.nowMs = next.atMs;
      next.run();
    }
    return false;
  }
}
