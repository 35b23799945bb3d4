// What an operation is handed for one attempt.

import type { Attempt, Signal } from "../types.js";
import type { Machine } from "./machine.js";

/** What an attempt is told; its signal is made when it is asked for. */
export class AttemptContext implements Attempt {
  readonly attempt: number;
  readonly #machine: Machine<any>;
  #remaining: number | null | undefined;
  #controller: AbortController | undefined;
  #signal: Signal | undefined;
  #ended: { readonly reason: unknown } | undefined;

  constructor(machine: Machine<any>) {
    this.attempt = machine.attempt;
    this.#machine = machine;
  }

  get operation(): string | undefined {
    return this.#machine.options.operation;
  }

  get remainingMs(): number | null {
    return (this.#remaining ??= this.#machine.attempt === this.attempt ? this.#machine.remaining() : 0);
  }

  get signal(): Signal {
    const { signal } = this.#machine.options;
    // Where nothing else ends the attempt, the caller's own says everything.
    if (signal && !this.#machine.isLimited) return signal;
    return (this.#signal ??= this.#own(signal));
  }

  /** A signal that ends with the attempt, and with the caller's, also after the call: a body may still be read then. */
  #own(signal: Signal | null | undefined): Signal {
    const { signal: own } = (this.#controller = new AbortController());
    if (this.#ended !== undefined) this.#controller.abort(this.#ended.reason);
    const isBoth = signal instanceof AbortSignal && typeof AbortSignal.any === "function";
    return isBoth ? AbortSignal.any([signal, own]) : own;
  }

  /** Aborts the attempt's own signal. @internal */
  end(reason: unknown): void {
    this.#ended ??= { reason };
    // Later the core does not know any more.
    void this.remainingMs;
    this.#controller?.abort(reason);
  }
}
