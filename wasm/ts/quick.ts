// The driver of plain calls, on which nobody listens and which ask nobody but the core: by callbacks, as to await what
// fails is slow. All other calls are driven by `drive`.

import type { Rules } from "./rules.js";
import type { AttemptContext } from "./attempt.js";
import { isThenable } from "./hooks.js";
import { CIRCUIT_OPEN, DEADLINE, type Setting, Steps, TOO_LONG } from "./steps.js";
import { asksToStop } from "./thrown.js";
import type { Attempt } from "./types.js";
import { TURNS, TimedOut, pause, raced, turn } from "./waiting.js";

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
  // A call's first attempt does not ask the breaker again.
  const attempt = steps.start()!;
  let returned: T | PromiseLike<T>;
  try {
    returned = operation(attempt);
  } catch (error) {
    return goOn(steps, operation, error);
  }
  return settled(steps, attempt, returned).then(
    (value: T) => succeeded(steps, value),
    (error: unknown) => goOn(steps, operation, error),
  );
}

/** A promise of this realm, which calls back once: of what was returned, or that the attempt was cut. */
function settled<T>(steps: Steps<T>, attempt: AttemptContext, returned: T | PromiseLike<T>): Promise<T> {
  let isLimited: boolean;
  try {
    isLimited = steps.rules.limitMs !== Infinity && isThenable(returned);
  } catch (error) {
    return Promise.reject(error);
  }
  if (!isLimited) return returned instanceof Promise ? returned : Promise.resolve(returned);
  const inTime = raced(returned as PromiseLike<T>, steps, undefined);
  inTime.then(undefined, (error: unknown) => {
    if (error instanceof TimedOut) attempt.end(error.error);
  });
  return inTime;
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
    let atOnce = 0;
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
      const delay = asks ? -1 : error instanceof TimedOut ? steps.timedOut(error.error) : steps.failBy(error);
      if (asks) steps.abort({ error });
      else if (delay === TOO_LONG) steps.tooLong("sleep");
      else if (delay < 0) steps.stop(delay, true);
      if (delay < 0) {
        stopped();
        return false;
      }
      steps.sleeps(delay);
      const waits = delay > 0 || (atOnce = (atOnce + 1) % TURNS) === 0;
      if (waits) void (delay > 0 ? pause(delay, undefined, steps.rules.unref) : turn()).then(wakes);
      // Without a delay no time has passed.
      return !waits;
    };
    /** Attempts that fail at once follow each other here, a few at a time. */
    const attempts = () => {
      for (;;) {
        const attempt = steps.start();
        if (attempt === undefined) {
          steps.stop(CIRCUIT_OPEN, false);
          return stopped();
        }
        let returned: T | PromiseLike<T>;
        try {
          returned = operation(attempt);
        } catch (error) {
          if (!isAgain(error)) return;
          continue;
        }
        return void settled(steps, attempt, returned).then(succeeds, fails);
      }
    };
    fails(first);
  });
}
