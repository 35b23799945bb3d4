// What a call waits for: an attempt, a delay, an answer; each ends at once when the caller aborts.

import { isThenable } from "./hooks.js";
import type { AttemptContext } from "./attempt.js";
import type { Attempt, Signal } from "./types.js";

/** What waiting is rejected with when the caller aborts. */
export const INTERRUPTED = Symbol("interrupted");

/** What an attempt is rejected with when its time is over. */
export class TimedOut {
  constructor(readonly error: Error) {}
}

/** The longest that a timer can be. */
const LONGEST = 2 ** 31 - 1;

/** The caller's signal, with one listener for the whole call. */
export class Watch {
  readonly signal: Signal;
  interrupt: (() => void) | undefined;
  readonly #listener = () => this.interrupt?.();

  constructor(signal: Signal) {
    this.signal = signal;
    signal.addEventListener("abort", this.#listener);
  }

  end(): void {
    this.interrupt = undefined;
    this.signal.removeEventListener("abort", this.#listener);
  }
}

/** Runs an attempt until it settles, its time is over, or the caller aborts. */
export async function within<T>(
  operation: (attempt: Attempt) => T | PromiseLike<T>,
  attempt: AttemptContext,
  ms: number,
  watch: Watch | undefined,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      if (watch !== undefined) {
        if (watch.signal.aborted) return reject(INTERRUPTED);
        watch.interrupt = () => reject(INTERRUPTED);
      }
      if (ms <= LONGEST) timer = setTimeout(() => reject(new TimedOut(timeoutError(ms))), Math.ceil(ms));
      const returned = operation(attempt);
      // Not `resolve(returned)`, after which nothing else could settle it.
      if (isThenable(returned)) returned.then(resolve, reject);
      else resolve(returned);
    });
  } catch (error) {
    if (error === INTERRUPTED) attempt.end(watch!.signal.reason);
    else if (error instanceof TimedOut) attempt.end(error.error);
    throw error;
  } finally {
    if (timer !== undefined) clearTimeout(timer);
    if (watch !== undefined) watch.interrupt = undefined;
  }
}

function timeoutError(ms: number): Error {
  return new DOMException(`the attempt took longer than ${ms} ms`, "TimeoutError") as Error;
}

/** Waits for somebody's answer, or until the caller aborts. */
export function answer<A>(given: A | PromiseLike<A>, watch: Watch | undefined): A | PromiseLike<A> {
  if (watch === undefined || !isThenable(given)) return given;
  return new Promise<A>((resolve, reject) => {
    if (watch.signal.aborted) reject(INTERRUPTED);
    watch.interrupt = () => reject(INTERRUPTED);
    given.then(resolve, reject);
  }).finally(() => (watch.interrupt = undefined));
}

/** Lets time pass by timers of the globals, in parts that a timer can be. */
export async function pause(ms: number, watch: Watch | undefined, unref: boolean): Promise<void> {
  for (let rest = Math.ceil(ms); rest > 0; rest -= LONGEST) {
    await new Promise<void>((resolve, reject) => {
      if (watch?.signal.aborted) return reject(INTERRUPTED);
      const timer = setTimeout(resolve, Math.min(rest, LONGEST));
      if (unref) (timer as { unref?: () => void }).unref?.();
      if (watch === undefined) return;
      watch.interrupt = () => {
        clearTimeout(timer);
        reject(INTERRUPTED);
      };
    });
  }
  if (watch !== undefined) watch.interrupt = undefined;
}
