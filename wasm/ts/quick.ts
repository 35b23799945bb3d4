// The driver of plain calls, on which nobody listens and which ask nobody but the core: by callbacks, as to await what
// fails is slow. All other calls are driven by `drive`.

import type { Rules } from "./rules.js";
import { DEADLINE, type Setting, Steps } from "./steps.js";
import { asksToStop } from "./thrown.js";
import type { Attempt } from "./types.js";
import { pause } from "./waiting.js";

type Operation<T> = (attempt: Attempt) => T | PromiseLike<T>;

/** Whether calls by these rules ask nobody but the core. */
export function isPlain({ limited, pool, resultClassifier, sleeper }: Rules): boolean {
  return !limited && pool === undefined && resultClassifier === undefined && sleeper === undefined;
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
  } catch (bug) {
    return Promise.reject(bug);
  }
  const attempt = steps.start();
  let returned: Promise<T>;
  try {
    returned = promised(operation(attempt));
  } catch (error) {
    return goOn(steps, operation, error);
  }
  return returned.then(
    (value: T) => succeeded(steps, value),
    (error: unknown) => goOn(steps, operation, error),
  );
}

/** A promise of this realm, which calls back once; rejected if what was returned cannot be looked at. */
function promised<T>(returned: T | PromiseLike<T>): Promise<T> {
  return returned instanceof Promise ? returned : Promise.resolve(returned);
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

/** All that follows a first failure. */
function goOn<T>(steps: Steps<T>, operation: Operation<T>, first: unknown): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const broken = (bug: unknown) => {
      steps.crash();
      reject(bug);
    };
    const stopped = () => reject((steps.outcome as { error?: unknown }).error);
    const succeeds = (value: T) => {
      try {
        resolve(succeeded(steps, value));
      } catch (bug) {
        reject(bug);
      }
    };
    const fails = (error: unknown) => {
      try {
        if (isAgain(error)) attempts();
      } catch (bug) {
        broken(bug);
      }
    };
    const wakes = () => {
      try {
        if (steps.woke()) return attempts();
        steps.stop(DEADLINE, false);
        stopped();
      } catch (bug) {
        broken(bug);
      }
    };
    /** Whether another attempt follows at once; else it comes later, or the call is over. */
    const isAgain = (error: unknown): boolean => {
      const asks = asksToStop(error);
      const delay = asks ? -1 : steps.failBy(error);
      if (asks) steps.abort({ error });
      else if (delay < 0) steps.stop(delay, true);
      if (delay < 0) {
        stopped();
        return false;
      }
      steps.sleeps(delay);
      // Without a delay no time has passed.
      if (delay > 0) void pause(delay, undefined, steps.rules.unref).then(wakes);
      return delay === 0;
    };
    /** Attempts that fail at once follow each other here, however many there are. */
    const attempts = () => {
      for (;;) {
        const attempt = steps.start();
        try {
          return void promised(operation(attempt)).then(succeeds, fails);
        } catch (error) {
          if (!isAgain(error)) return;
        }
      }
    };
    fails(first);
  });
}
