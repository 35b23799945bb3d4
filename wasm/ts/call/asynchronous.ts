// The asynchronous scheduler: awaits attempts, delays, and callbacks that answer later.

import { systemClock } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { AttemptTimeoutError } from "../errors.js";
import type { Attempt, CallOptions, Outcome } from "../types.js";
import type { Setting } from "./codes.js";
import { isThenable } from "./hooks.js";
import { type Action, ASK, DONE, LATE, Machine, READY, RUN, type Scheduling, WAIT } from "./machine.js";
import { outcome, valueOrThrow } from "./outcomes.js";
import { onAbort } from "./signals.js";
import { type Alarm, type Delayed, type Limited, nothing, pause, promised, TURN, timer } from "./timers.js";

type Operation<T> = (attempt: Attempt) => T | PromiseLike<T>;

/** What a call is made with. One that was disposed of has no setting any more, and throws. */
interface Bound {
  readonly setting: Setting;
}

const PLAIN: Scheduling = { timed: false, waits: true };
const TIMED: Scheduling = { timed: true, waits: true };

/** Runs a call; its value, or what it throws. */
export function call<T>(runner: Bound, operation: Operation<T>, options: CallOptions | undefined): Promise<T> {
  return run(runner, operation, options, PLAIN, valueOrThrow);
}

/** Runs a call; all there is to know of it. */
export function execute<T>(
  runner: Bound,
  operation: Operation<T>,
  options: CallOptions | undefined,
): Promise<Outcome<T>> {
  return run(runner, operation, options, TIMED, outcome);
}

/** Carries out what the machine says. It awaits, so that an error has the caller in its stack after any attempt. */
async function run<T, R>(
  runner: Bound,
  operation: Operation<T>,
  options: CallOptions | undefined,
  scheduling: Scheduling,
  result: (machine: Machine<T>) => R,
): Promise<R> {
  if (typeof operation !== "function") refuse("operation", operation, "a function");
  const machine = new Machine<T>(runner.setting, options, scheduling);
  let waiting: Waiting | undefined;
  /** Whether all others have had a turn since the call, or its latest retry without a delay, has begun. */
  let isFair = false;
  try {
    for (let action = machine.begin(); action !== DONE; ) {
      if (action === READY) action = machine.start();
      else if (action === RUN) {
        let returned: T | PromiseLike<T>;
        let isPending: boolean;
        try {
          returned = operation(machine.current);
          isPending = isThenable(returned);
        } catch (error) {
          action = machine.failed(error);
          continue;
        }
        if (!isPending) action = machine.succeeded(returned as T);
        else {
          waiting ??= new Waiting(machine);
          action = ended(machine, waiting.over(await waiting.for(returned as PromiseLike<T>, machine.limit())));
          isFair = true;
        }
      } else if (action === WAIT && !(machine.sleepMs > 0)) {
        const turn = pause(machine.rules.clock === systemClock ? machine.now : performance.now());
        if (turn !== undefined || !isFair) await (turn ?? TURN);
        isFair = false;
        action = waited(machine, undefined);
      } else {
        waiting ??= new Waiting(machine);
        if (action === ASK) action = answered(machine, waiting.over(await waiting.answer()));
        else action = waited(machine, waiting.over(await waiting.delay(machine.sleepMs)));
        isFair = true;
      }
    }
  } catch (bug) {
    // What cannot be coped with, a clock that breaks perhaps, ends the call.
    machine.cancel();
    throw bug;
  } finally {
    waiting?.release();
  }
  // A turn first: a promise that is rejected before anyone can listen costs Node dearly.
  if (!machine.ok && !isFair) await TURN;
  return result(machine);
}

/** What was waited for has failed. */
class Failed {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** The caller has aborted. */
const ABORTED = Symbol("aborted");

function ended<T>(machine: Machine<T>, answer: unknown): Action {
  if (answer instanceof Failed) return machine.failed(answer.error);
  if (answer === ABORTED) {
    machine.current.end(machine.options.signal?.reason);
    return machine.interrupted();
  }
  if (answer !== LATE) return machine.succeeded(answer as T);
  const error = new AttemptTimeoutError(machine.timeout());
  machine.current.end(error);
  return machine.timedOut(error);
}

function waited(machine: Machine<unknown>, answer: unknown): Action {
  // A sleeper has failed.
  if (answer instanceof Failed) throw answer.error;
  // Nothing listens while no time is waited for.
  const isOver = answer === ABORTED || machine.rules.delays.areOver || machine.options.signal?.aborted;
  return isOver ? machine.interrupted() : machine.waited();
}

function answered(machine: Machine<unknown>, answer: unknown): Action {
  if (answer instanceof Failed) return machine.refused(answer.error);
  return answer === ABORTED ? machine.interrupted() : machine.answered(answer);
}

/** What a call waits for. The caller's abort and the end of its time are answers, too: what comes first counts. */
class Waiting implements Limited, Delayed {
  readonly #machine: Machine<any>;
  readonly #alarm: Alarm;
  /** When its time is over, while there is a limit. */
  due = Infinity;
  place = -1;
  #isDelay = false;
  #resolve: ((answer: unknown) => void) | undefined;
  /** Ends the timer of a delay. */
  #stop: (() => void) | undefined;
  /** Ends listening to the caller's signal. */
  readonly release: () => void = nothing;
  #broken: Failed | undefined;

  constructor(machine: Machine<any>) {
    this.#machine = machine;
    this.#alarm = machine.rules.alarm.ofCall;
    const { signal } = machine.options;
    if (signal) this.release = onAbort(signal, () => this.abort());
  }

  /** Waits for a promise; for its error as a `Failed`, so that nothing is thrown. */
  for(promise: PromiseLike<unknown>, limit: number): Promise<unknown> {
    return new Promise((resolve) => {
      this.#begins(resolve);
      // Engines find the caller through a promise's own function alone, for stacks.
      promised(promise).then(resolve, (error: unknown) => resolve(new Failed(error)));
      if (limit === Infinity) return;
      this.due = this.#machine.now + limit;
      this.#alarm.add(this);
    });
  }

  /** Waits for a callback. */
  answer(): Promise<unknown> {
    const machine = this.#machine;
    return this.for(machine.answer as PromiseLike<unknown>, machine.answerLimit());
  }

  /** Waits for so many milliseconds. */
  delay(ms: number): Promise<unknown> {
    const { options, rules } = this.#machine;
    const sleeper = options.sleeper ?? rules.sleeper;
    if (rules.delays.areOver) return Promise.resolve(ABORTED);
    rules.delays.add(this);
    this.#isDelay = true;
    if (sleeper !== undefined) return this.for(promised(sleeper(ms, options.signal ?? undefined)), Infinity);
    return new Promise((resolve) => {
      this.#begins(resolve);
      this.#stop = timer(Math.min(ms, Number.MAX_SAFE_INTEGER), rules.unref, () => resolve(undefined));
    });
  }

  #begins(resolve: (answer: unknown) => void): void {
    this.#resolve = resolve;
    if (this.#machine.options.signal?.aborted) this.abort();
  }

  /** The caller, or the end of its policy, wants no more of it. */
  abort(): void {
    this.#resolve?.(ABORTED);
  }

  /** Its time is over, or the clock has broken with this error. */
  late(broken?: { readonly error: unknown }): void {
    this.#broken = broken;
    this.#resolve?.(LATE);
  }

  /** Nothing is waited for any more: this came of it. */
  over(answer: unknown): unknown {
    this.#resolve = undefined;
    if (this.due !== Infinity) {
      this.due = Infinity;
      this.#alarm.delete(this);
    }
    if (this.#isDelay) {
      this.#isDelay = false;
      this.#machine.rules.delays.delete(this);
      this.#stop?.();
      this.#stop = undefined;
    }
    if (answer === LATE && this.#broken !== undefined) throw this.#broken.error;
    return answer;
  }
}
