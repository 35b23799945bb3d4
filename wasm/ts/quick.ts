// The driver of plain calls, on which nobody listens and which ask nobody but the core: by callbacks, as to await what
// fails is slow. All other calls are driven by `drive`.

import type { AttemptContext } from "./attempt.js";
import { isThenable } from "./hooks.js";
import type { Rules } from "./rules.js";
import { DEADLINE, OPENED, type Setting, Steps, TOO_LONG } from "./steps.js";
import { asksToStop } from "./thrown.js";
import type { Attempt } from "./types.js";
import { limited, pause, timeoutError, turn } from "./waiting.js";

type Operation<T> = (attempt: Attempt) => T | PromiseLike<T>;

/** Whether calls by these rules ask nobody but the core. */
export function isPlain({ pool, resultClassifier, sleeper }: Rules): boolean {
  return pool === undefined && resultClassifier === undefined && sleeper === undefined;
}

const TURN = Promise.resolve();

/** Runs a plain call. */
export function quick<T>(setting: Setting, operation: Operation<T>): Promise<T> {
  const steps = new Steps<T>(setting, undefined, false);
  try {
    if (!steps.begin()) {
      // A turn first: a promise that is rejected before anybody can listen costs Node dearly.
      return new Promise((_, reject) => void TURN.then(() => reject(steps.rejection)));
    }
    steps.ends = steps.timeout() < Infinity;
  } catch (bug) {
    steps.crash();
    return Promise.reject(bug);
  }
  const attempt = steps.start();
  let returned: T | PromiseLike<T>;
  let waits: boolean;
  try {
    returned = operation(attempt);
    waits = isThenable(returned);
  } catch (error) {
    return goOn(steps, operation, ({ fails }) => fails(error));
  }
  if (waits) return goOn(steps, operation, ({ awaits }) => awaits(attempt, returned as PromiseLike<T>));
  try {
    return Promise.resolve(succeeded(steps, returned as T));
  } catch (bug) {
    return Promise.reject(bug);
  }
}

function succeeded<T>(steps: Steps<T>, value: T): T {
  try {
    steps.succeed(value, false);
  } catch (bug) {
    steps.crash();
    throw bug;
  }
  return value;
}

/** How a first attempt goes on. */
interface First<T> {
  fails(error: unknown): void;
  awaits(attempt: AttemptContext, returned: PromiseLike<T>): void;
}

/** All that follows what a first attempt returned or threw. */
function goOn<T>(steps: Steps<T>, operation: Operation<T>, begins: (first: First<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const { unref } = steps.rules;
    const left = () => steps.left();
    /** What the call itself cannot cope with ends it. */
    const guarded = (step: () => void) => {
      try {
        step();
      } catch (bug) {
        steps.crash();
        reject(bug);
      }
    };
    const stopped = () => reject((steps.outcome as { error?: unknown }).error);
    const succeeds = (value: T) => guarded(() => resolve(succeeded(steps, value)));
    const fails = (error: unknown) =>
      guarded(() => {
        if (!asksToStop(error)) return goesOn(steps.failBy(error));
        steps.abort({ error });
        stopped();
      });
    const awaits = (attempt: AttemptContext, returned: PromiseLike<T>) => {
      const late = () =>
        guarded(() => {
          const error = timeoutError(steps.timeout());
          attempt.end(error);
          goesOn(steps.timedOut(error));
        });
      limited(returned, left, unref, succeeds, fails, late);
    };
    const goesOn = (delay: number) => {
      if (delay < 0) {
        steps.stop(delay === TOO_LONG ? DEADLINE : delay, true);
        return stopped();
      }
      steps.sleeps(delay);
      void (delay > 0 ? pause(delay, undefined, unref) : turn()).then(wakes);
    };
    const wakes = () =>
      guarded(() => {
        const isInTime = steps.woke();
        if (isInTime && steps.admits()) return attempts();
        steps.stop(isInTime ? OPENED : DEADLINE, false);
        stopped();
      });
    const attempts = () => {
      const attempt = steps.start();
      let returned: T | PromiseLike<T>;
      let waits: boolean;
      try {
        returned = operation(attempt);
        waits = isThenable(returned);
      } catch (error) {
        return fails(error);
      }
      if (waits) awaits(attempt, returned as PromiseLike<T>);
      else succeeds(returned as T);
    };
    guarded(() => begins({ fails, awaits }));
  });
}
