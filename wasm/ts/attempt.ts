// What an operation is handed for one attempt.

import type { Steps } from "./steps.js";
import type { Attempt, Signal } from "./types.js";

/** What an attempt is told; its signal is made when it is asked for. */
export class AttemptContext implements Attempt {
  readonly attempt: number;
  readonly #steps: Steps<any>;
  #remaining: number | null | undefined;
  #controller: AbortController | undefined;
  #signal: Signal | undefined;
  #ended: { readonly reason: unknown } | undefined;

  constructor(steps: Steps<any>) {
    this.attempt = steps.attempt;
    this.#steps = steps;
    // Its start is the only time when the core knows.
    if (steps.rules.limited) this.#remaining = steps.remaining();
  }

  get operation(): string | undefined {
    return this.#steps.options.operation;
  }

  get remainingMs(): number | null {
    return (this.#remaining ??= this.#steps.attempt === this.attempt ? this.#steps.remaining() : 0);
  }

  get signal(): Signal {
    const { signal } = this.#steps.options;
    // Where nothing ends the attempt, the caller's own says everything.
    if (signal && !this.#steps.bounded) return signal;
    if (this.#signal === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended.reason);
      const own = this.#controller.signal as Signal;
      // The caller's abort reaches what the attempt returned, the body of a response for instance, also after it.
      this.#signal = signal && AbortSignal.any ? (AbortSignal.any([signal as AbortSignal, own as AbortSignal]) as Signal) : own;
    }
    return this.#signal;
  }

  /** Aborts the attempt's own signal. @internal */
  end(reason: unknown): void {
    this.#ended ??= { reason };
    this.#controller?.abort(reason);
  }
}
