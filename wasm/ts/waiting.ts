// What a call waits for: an attempt, a delay, an answer; each ends at once when the caller aborts.

import { isThenable } from "./hooks.js";
import type { AttemptContext } from "./attempt.js";
import type { Steps } from "./steps.js";
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

const TURN = Promise.resolve();

/** A promise of this realm, which calls back once; rejected if what was returned cannot be looked at. */
export function promised<T>(returned: PromiseLike<T>): Promise<T> {
  return returned instanceof Promise ? returned : Promise.resolve(returned);
}

/** Calls back when so much time is over, in parts that a timer can be, never for Infinity; what stops it. */
export function timer(ms: number, unref: boolean, over: () => void): (() => void) | undefined {
  if (ms === Infinity) return undefined;
  let running: ReturnType<typeof setTimeout>;
  const arm = (rest: number) => {
    running = setTimeout(rest > LONGEST ? () => arm(rest - LONGEST) : over, Math.min(rest, LONGEST));
    if (unref) (running as { unref?: () => void }).unref?.();
  };
  arm(Math.max(0, Math.ceil(ms)));
  return () => clearTimeout(running);
}

/**
 * Hands on how a promise settles, unless its time is over before: then what comes later is ignored. What has settled
 * already needs no timer, so that it is made a turn later, of what is `left` then. Returns what ends it.
 */
export function limited<T>(
  returned: PromiseLike<T>,
  left: () => number,
  unref: boolean,
  succeeds: (value: T) => void,
  fails: (error: unknown) => void,
  late: () => void,
): () => void {
  let stop: (() => void) | undefined;
  let isOver = false;
  const end = () => {
    isOver = true;
    stop?.();
  };
  const once = <A extends unknown[]>(then: (...words: A) => void) => (...words: A) => {
    if (isOver) return;
    end();
    then(...words);
  };
  promised(returned).then(once(succeeds), once(fails));
  void TURN.then(() => {
    if (isOver) return;
    try {
      stop = timer(left(), unref, once(late));
    } catch (bug) {
      // A clock that breaks.
      once(fails)(bug);
    }
  });
  return end;
}

/** Runs an attempt until it settles, its time is over, or the caller aborts. */
export async function within<T>(
  operation: (attempt: Attempt) => T | PromiseLike<T>,
  attempt: AttemptContext,
  steps: Steps<T>,
  watch: Watch | undefined,
): Promise<T> {
  let end: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      if (watch !== undefined) {
        if (watch.signal.aborted) return reject(INTERRUPTED);
        watch.interrupt = () => reject(INTERRUPTED);
      }
      const returned = operation(attempt);
      // Not `resolve(returned)`, after which nothing else could settle it.
      if (!isThenable(returned)) return resolve(returned);
      const late = () => reject(new TimedOut(timeoutError(steps.timeout())));
      end = limited(returned, () => steps.left(), steps.rules.unref, resolve, reject, late);
    });
  } catch (error) {
    if (error === INTERRUPTED) attempt.end(watch!.signal.reason);
    else if (error instanceof TimedOut) attempt.end(error.error);
    throw error;
  } finally {
    end?.();
    if (watch !== undefined) watch.interrupt = undefined;
  }
}

/** What an attempt is aborted with that took longer than it may. */
export function timeoutError(ms: number): Error {
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

/** Lets everything else run that is due, timers and signals among it, without waiting for the tick of a timer. */
export function turn(): Promise<void> {
  const { setImmediate, scheduler, MessageChannel } = globalThis as Turns;
  return new Promise((resolve) => {
    if (setImmediate !== undefined) setImmediate(resolve);
    // Before channels: in workerd messages come before any timer.
    else if (scheduler?.wait !== undefined) resolve(scheduler.wait(0));
    else if (MessageChannel !== undefined) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else setTimeout(resolve, 0);
  });
}

/** What runtimes have for that. */
interface Turns {
  readonly setImmediate?: (run: () => void) => unknown;
  readonly scheduler?: { wait?(ms: number): Promise<void> };
  readonly MessageChannel?: typeof globalThis.MessageChannel;
}
