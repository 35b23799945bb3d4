// What a call waits for: an attempt, a delay, an answer; each ends at once when the caller aborts.

import { type Deadlines, type InFlight, LONGEST } from "./deadlines.js";
import { isThenable } from "./hooks.js";
import type { AttemptContext } from "./attempt.js";
import type { Attempt, Signal } from "./types.js";

/** What waiting is rejected with when the caller aborts. */
export const INTERRUPTED = Symbol("interrupted");

/** What an attempt is rejected with when its time is over. */
export class TimedOut {
  constructor(readonly error: Error) {}
}

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

/** What an attempt may be settled by besides itself. */
export interface Limits {
  /** Until when it is cut, as milliseconds from now on; Infinity for never. */
  left(): number;
  readonly deadlines: Deadlines;
}

/**
 * Runs an attempt until it settles, its time is over, or the caller aborts. It runs first: a value that is there wins, and
 * needs no timer.
 */
export async function within<T>(
  operation: (attempt: Attempt) => T | PromiseLike<T>,
  attempt: AttemptContext,
  limits: Limits | undefined,
  watch: Watch | undefined,
): Promise<T> {
  if (watch?.signal.aborted) {
    attempt.end(watch.signal.reason);
    throw INTERRUPTED;
  }
  let interrupted: (() => void) | undefined;
  if (watch !== undefined) watch.interrupt = () => interrupted?.();
  try {
    const returned = operation(attempt);
    if (!isThenable(returned)) return returned as T;
    return await raced(returned as PromiseLike<T>, limits, watch, (interrupt) => (interrupted = interrupt));
  } catch (error) {
    if (error === INTERRUPTED) attempt.end(watch!.signal.reason);
    else if (error instanceof TimedOut) attempt.end(error.error);
    throw error;
  } finally {
    if (watch !== undefined) watch.interrupt = undefined;
  }
}

/** Settles as `returned` does, unless its time is over or the caller aborts before. */
export function raced<T>(
  returned: PromiseLike<T>,
  limits: Limits | undefined,
  watch: Watch | undefined,
  onInterrupt?: (interrupt: () => void) => void,
): Promise<T> {
  let entry: InFlight | undefined;
  const over = () => {
    if (entry !== undefined) limits!.deadlines.remove(entry);
    entry = undefined;
  };
  return new Promise<T>((resolve, reject) => {
    if (watch?.signal.aborted) return reject(INTERRUPTED);
    onInterrupt?.(() => {
      over();
      reject(INTERRUPTED);
    });
    const ms = limits?.left() ?? Infinity;
    if (ms !== Infinity) {
      entry = limits!.deadlines.add(ms, () => {
        entry = undefined;
        reject(new TimedOut(timeoutError(ms)));
      });
    }
    // Not `resolve(returned)`, after which nothing else could settle it.
    returned.then(
      (value) => {
        over();
        resolve(value);
      },
      (error: unknown) => {
        over();
        reject(error);
      },
    );
  });
}

function timeoutError(ms: number): Error {
  return new DOMException(`the attempt was cut after ${Math.ceil(ms)} ms`, "TimeoutError") as Error;
}

/** How many attempts without a delay between them follow each other before other tasks get their turn. */
export const TURNS = 4;

/** Lets timers and other tasks of the runtime run: attempts without a delay would otherwise keep them from it. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { setImmediate: immediately, MessageChannel: Channel } = globalThis as {
      setImmediate?: (task: () => void) => void;
      MessageChannel?: typeof MessageChannel;
    };
    if (typeof immediately === "function") return immediately(resolve);
    if (typeof Channel !== "function") return void setTimeout(resolve, 0);
    const { port1, port2 } = new Channel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

/** Waits for an answer, or until the caller aborts. */
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
