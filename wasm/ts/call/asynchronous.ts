// The asynchronous scheduler: runs attempts, waits for delays and for callbacks that answer later. By callbacks and not
// by `await`, as to await what fails is slow.

import { refuse } from "../config/issues.js";
import type { Attempt, CallOptions, Outcome, Signal } from "../types.js";
import type { Setting } from "./codes.js";
import { isThenable } from "./hooks.js";
import { type Action, ASK, DONE, LATE, Machine, READY, RUN, type Scheduling, WAIT } from "./machine.js";
import { onAbort } from "./signals.js";
import { promised, TURN, timeoutError, timer, turn } from "./timers.js";

type Operation<T> = (attempt: Attempt) => T | PromiseLike<T>;

/** What a call is made with. One that was disposed of has no setting any more, and throws. */
interface Bound {
  readonly setting: Setting;
}

const PLAIN: Scheduling = { timed: false, waits: true };
const TIMED: Scheduling = { timed: true, waits: true };

/** Runs a call; its value, or what it throws. */
export function call<T>(runner: Bound, operation: Operation<T>, options: CallOptions | undefined): Promise<T> {
  return run(runner, operation, options, PLAIN, (machine: Machine<T>) => {
    if (machine.ok) return machine.value as T;
    throw machine.thrown;
  });
}

/** Runs a call; all there is to know of it. */
export function execute<T>(
  runner: Bound,
  operation: Operation<T>,
  options: CallOptions | undefined,
): Promise<Outcome<T>> {
  return run(runner, operation, options, TIMED, (machine: Machine<T>) => machine.outcome);
}

/** What a call gives its caller in the end. */
type Result<T, R> = (machine: Machine<T>) => R;

function run<T, R>(
  runner: Bound,
  operation: Operation<T>,
  options: CallOptions | undefined,
  scheduling: Scheduling,
  result: Result<T, R>,
): Promise<R> {
  let machine: Machine<T> | undefined;
  try {
    if (typeof operation !== "function") refuse("operation", operation, "a function");
    machine = new Machine<T>(runner.setting, options, scheduling);
    let action = machine.begin();
    if (action === READY) action = machine.start();
    if (action === RUN) {
      // A call that is over at once needs nothing of `Run`.
      let returned: T | PromiseLike<T>;
      try {
        returned = operation(machine.current);
        if (isThenable(returned)) return new Run(machine, operation, result).awaits(returned);
      } catch (error) {
        return new Run(machine, operation, result).goesOn(machine.failed(error));
      }
      action = machine.succeeded(returned);
    }
    if (action !== DONE) return new Run(machine, operation, result).goesOn(action);
    if (machine.ok) return Promise.resolve(result(machine));
  } catch (bug) {
    machine?.cancel();
    return Promise.reject(bug);
  }
  // A turn first: a promise that is rejected before anyone can listen costs Node dearly.
  const ended = machine;
  return TURN.then(() => result(ended));
}

/** What a run waits for: an attempt, a delay, or the answer of a callback. */
type Pending = typeof RUN | typeof WAIT | typeof ASK;

/** A call that was not over at once. What cannot be coped with, a clock that breaks perhaps, ends it. */
class Run<T, R> {
  readonly #machine: Machine<T>;
  readonly #operation: Operation<T>;
  readonly #result: Result<T, R>;
  readonly #signal: Signal | null | undefined;
  #resolve!: (result: R) => void;
  #reject!: (error: unknown) => void;
  readonly #promise: Promise<R>;
  #pending: Pending | undefined;
  /** Counts what was waited for: what comes of anything earlier is ignored. */
  #count = 0;
  #stop: (() => void) | undefined;
  /** Ends listening to the caller's signal. */
  #unlisten: (() => void) | undefined;

  constructor(machine: Machine<T>, operation: Operation<T>, result: Result<T, R>) {
    this.#machine = machine;
    this.#operation = operation;
    this.#result = result;
    this.#signal = machine.options.signal;
    this.#promise = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (this.#signal) this.#unlisten = onAbort(this.#signal, () => this.#interrupt());
  }

  /** The first attempt has returned a promise. */
  awaits(returned: PromiseLike<T>): Promise<R> {
    this.#guard(() => this.#awaits(RUN, returned));
    return this.#promise;
  }

  /** Carries out what the machine says. */
  goesOn(action: Action): Promise<R> {
    this.#guard(() => this.#go(action));
    return this.#promise;
  }

  #go(first: Action): void {
    const machine = this.#machine;
    for (let action = first; ; ) {
      switch (action) {
        case READY:
          action = machine.start();
          break;
        case RUN: {
          let returned: T | PromiseLike<T>;
          try {
            returned = this.#operation(machine.current);
            if (isThenable(returned)) return this.#awaits(RUN, returned);
          } catch (error) {
            action = machine.failed(error);
            break;
          }
          action = machine.succeeded(returned);
          break;
        }
        case WAIT:
          return this.#sleeps(machine.sleepMs);
        case ASK:
          return this.#awaits(ASK, machine.answer as PromiseLike<unknown>);
        default:
          return this.#ends();
      }
    }
  }

  /** Begins to wait; undefined if the caller has aborted already. */
  #waits(pending: Pending): number | undefined {
    this.#pending = pending;
    this.#count += 1;
    if (!this.#signal?.aborted) return this.#count;
    this.#interrupt();
    return undefined;
  }

  #awaits(pending: Pending, returned: PromiseLike<unknown>): void {
    const count = this.#waits(pending);
    promised(returned).then(
      (value: unknown) => this.#settles(count, false, value),
      (error: unknown) => this.#settles(count, true, error),
    );
    // What has settled already needs no timer, so that it is made a turn later, for what is left then.
    if (pending === ASK || this.#machine.isLimited) void TURN.then(() => this.#limits(count));
  }

  #sleeps(ms: number): void {
    const { options, rules } = this.#machine;
    const sleeper = options.sleeper ?? rules.sleeper;
    if (ms > 0 && sleeper !== undefined) return this.#awaits(WAIT, promised(sleeper(ms, this.#signal ?? undefined)));
    const count = this.#waits(WAIT);
    if (count === undefined) return;
    const over = () => this.#settles(count, false, undefined);
    if (ms > 0) this.#stop = timer(Math.min(ms, Number.MAX_SAFE_INTEGER), rules.unref, over);
    else void turn().then(over);
  }

  #limits(count: number | undefined): void {
    if (count !== this.#count) return;
    this.#guard(() => {
      const machine = this.#machine;
      const isAttempt = this.#pending === RUN;
      const left = isAttempt ? machine.left() : machine.answerLimit();
      this.#stop = timer(left, machine.rules.unref, () => {
        if (!this.#over(count)) return;
        this.#guard(() => {
          if (!isAttempt) return this.#go(machine.answered(LATE));
          const error = timeoutError(machine.timeout());
          machine.current.end(error);
          this.#go(machine.timedOut(error));
        });
      });
    });
  }

  /** Whether it is this that is waited for; it is no longer. */
  #over(count: number | undefined): boolean {
    if (count !== this.#count) return false;
    this.#count += 1;
    this.#stop?.();
    this.#stop = undefined;
    return true;
  }

  #settles(count: number | undefined, failed: boolean, value: unknown): void {
    const pending = this.#pending;
    if (!this.#over(count)) return;
    this.#pending = undefined;
    const machine = this.#machine;
    this.#guard(() => {
      if (pending === RUN) this.#go(failed ? machine.failed(value) : machine.succeeded(value as T));
      else if (pending === ASK) this.#go(failed ? machine.refused(value) : machine.answered(value));
      else if (failed) throw value;
      else this.#go(machine.waited());
    });
  }

  /** The caller has aborted. */
  #interrupt(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    this.#over(this.#count);
    this.#guard(() => {
      if (pending === RUN) this.#machine.current.end(this.#signal!.reason);
      this.#go(this.#machine.interrupted());
    });
  }

  #ends(): void {
    this.#release();
    try {
      this.#resolve(this.#result(this.#machine));
    } catch (error) {
      this.#reject(error);
    }
  }

  #release(): void {
    this.#pending = undefined;
    this.#unlisten?.();
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (bug) {
      this.#count += 1;
      this.#stop?.();
      this.#release();
      this.#reject(bug);
      this.#machine.cancel();
    }
  }
}
