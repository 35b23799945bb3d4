// The limits of the attempts that are in flight, by one timer for all calls of a policy.

/** The longest that a timer can be. */
export const LONGEST = 2 ** 31 - 1;

/** An attempt in flight. */
export interface InFlight {
  readonly due: number;
  readonly cut: () => void;
  before: InFlight | undefined;
  after: InFlight | undefined;
}

/** Attempts in the order in which they are cut. No timer is armed while there are none. */
export class Deadlines {
  #first: InFlight | undefined;
  #last: InFlight | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `cut` after so many milliseconds, unless the attempt is removed before. */
  add(ms: number, cut: () => void): InFlight {
    const due = performance.now() + Math.ceil(ms);
    let before = this.#last;
    // Most limits of a policy are alike, so a new one is nearly always the last.
    while (before !== undefined && before.due > due) before = before.before;
    const after = before === undefined ? this.#first : before.after;
    const added: InFlight = { due, cut, before, after };
    if (before === undefined) this.#first = added;
    else before.after = added;
    if (after === undefined) this.#last = added;
    else after.before = added;
    if (this.#timer === undefined || before === undefined) this.#arm();
    return added;
  }

  /** The attempt has settled. */
  remove({ before, after }: InFlight): void {
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    if (this.#first !== undefined || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const first = this.#first;
    if (first === undefined) return;
    const ms = Math.max(0, first.due - performance.now());
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.ceil(ms), LONGEST));
  }

  #fire(): void {
    const now = performance.now();
    for (let next = this.#first; next !== undefined && next.due <= now; next = this.#first) {
      this.remove(next);
      next.cut();
    }
    this.#arm();
  }
}
