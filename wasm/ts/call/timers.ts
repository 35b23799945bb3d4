// Waiting by the runtime's own means.

/** The longest that a timer can be. */
const LONGEST = 2 ** 31 - 1;

export const TURN = Promise.resolve();

/**
 * A promise of this realm, which calls back once; rejected if what was returned cannot be looked at. A class that extends
 * `Promise` may do anything in its constructor, which a `then` of its own calls.
 */
export function promised<T>(returned: T | PromiseLike<T>): Promise<T> {
  try {
    if (returned instanceof Promise && returned.constructor === Promise) return returned;
  } catch {
    // A proxy that was revoked: what it cannot tell rejects the promise.
  }
  return new Promise((resolve) => resolve(returned));
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

/** What an attempt is aborted with that took longer than it may. */
export function timeoutError(ms: number): Error {
  return new DOMException(`the attempt took longer than ${ms} ms`, "TimeoutError") as Error;
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
