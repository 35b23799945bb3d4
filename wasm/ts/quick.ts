// The driver of plain calls, on which nobody listens and which ask nobody but the core: by callbacks, as to await what
// fails is slow. All other calls are driven by `drive`.

import type { AttemptContext } from "./attempt.js";
import { DEADLINE, OPENED, type Setting, TOO_LONG } from "./codes.js";
import { isThenable } from "./hooks.js";
import type { Rules } from "./rules.js";
import { Steps } from "./steps.js";
import { asksToStop } from "./thrown.js";
import type { Attempt } from "./types.js";
import { pause, promised, timeoutError, timer, turn } from "./waiting.js";

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
  try {
    returned = operation(attempt);
    if (isThenable(returned)) return new Plain(steps, operation).awaiting(attempt, returned);
  } catch (error) {
    return new Plain(steps, operation).failed(error);
  }
  try {
    return Promise.resolve(succeeded(steps, returned));
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

/** A plain call that was not over at once. What it itself cannot cope with, a clock that breaks perhaps, ends it. */
class Plain<T> {
  readonly #steps: Steps<T>;
  readonly #operation: Operation<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  readonly #promise: Promise<T>;
  /** The attempt that is awaited, undefined once it has settled or its time is over. */
  #awaited: AttemptContext | undefined;
  #stop: (() => void) | undefined;

  constructor(steps: Steps<T>, operation: Operation<T>) {
    this.#steps = steps;
    this.#operation = operation;
    this.#promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The first attempt returned a promise. */
  awaiting(attempt: AttemptContext, returned: PromiseLike<T>): Promise<T> {
    this.#awaits(attempt, returned);
    return this.#promise;
  }

  /** The first attempt threw. */
  failed(error: unknown): Promise<T> {
    this.#fails(error);
    return this.#promise;
  }

  #awaits(attempt: AttemptContext, returned: PromiseLike<T>): void {
    this.#awaited = attempt;
    promised(returned).then(
      (value) => {
        if (this.#settles(attempt)) this.#succeeds(value);
      },
      (error: unknown) => {
        if (this.#settles(attempt)) this.#fails(error);
      },
    );
    if (this.#steps.ends) void TURN.then(() => this.#limits(attempt));
  }

  /** Whether it is this attempt that is awaited; it is no longer. */
  #settles(attempt: AttemptContext): boolean {
    if (this.#awaited !== attempt) return false;
    this.#awaited = undefined;
    if (this.#stop !== undefined) {
      this.#stop();
      this.#stop = undefined;
    }
    return true;
  }

  /** Limits an attempt that has not settled at once. */
  #limits(attempt: AttemptContext): void {
    if (this.#awaited !== attempt) return;
    try {
      this.#stop = timer(this.#steps.left(), this.#steps.rules.unref, () => {
        if (this.#settles(attempt)) this.#isLate(attempt);
      });
    } catch (bug) {
      this.#awaited = undefined;
      this.#breaks(bug);
    }
  }

  #isLate(attempt: AttemptContext): void {
    try {
      const error = timeoutError(this.#steps.timeout());
      attempt.end(error);
      this.#goesOn(this.#steps.timedOut(error));
    } catch (bug) {
      this.#breaks(bug);
    }
  }

  #succeeds(value: T): void {
    try {
      this.#resolve(succeeded(this.#steps, value));
    } catch (bug) {
      this.#reject(bug);
    }
  }

  #fails(error: unknown): void {
    const steps = this.#steps;
    try {
      if (!asksToStop(error)) return this.#goesOn(steps.failBy(error));
      steps.abort({ error });
      this.#stopped();
    } catch (bug) {
      this.#breaks(bug);
    }
  }

  /** What follows a failure: another attempt after the delay, or nothing. */
  #goesOn(delay: number): void {
    const steps = this.#steps;
    if (delay < 0) {
      steps.stop(delay === TOO_LONG ? DEADLINE : delay, true);
      return this.#stopped();
    }
    steps.sleeps(delay);
    void (delay > 0 ? pause(delay, undefined, steps.rules.unref) : turn()).then(() => this.#wakes());
  }

  #wakes(): void {
    const steps = this.#steps;
    try {
      const isInTime = steps.woke();
      if (isInTime && steps.admits()) return this.#attempts();
      steps.stop(isInTime ? OPENED : DEADLINE, false);
      this.#stopped();
    } catch (bug) {
      this.#breaks(bug);
    }
  }

  #attempts(): void {
    const attempt = this.#steps.start();
    let returned: T | PromiseLike<T>;
    try {
      returned = this.#operation(attempt);
      if (isThenable(returned)) return this.#awaits(attempt, returned);
    } catch (error) {
      return this.#fails(error);
    }
    this.#succeeds(returned);
  }

  #stopped(): void {
    this.#reject((this.#steps.outcome as { error?: unknown }).error);
  }

  #breaks(bug: unknown): void {
    this.#steps.crash();
    this.#reject(bug);
  }
}
