// The two drivers: they walk the same steps, one awaiting what the other refuses to.

import type { AttemptContext } from "./attempt.js";
import { ABORTED, BUDGET_EXHAUSTED, DEADLINE, OPENED, SCHEDULED, type Setting, TOO_LONG } from "./codes.js";
import { checked, isThenable } from "./hooks.js";
import { wrongType } from "./options.js";
import { Steps } from "./steps.js";
import { asksToStop } from "./thrown.js";
import type { Admission, Attempt, CallOptions, CallResult, Circuit, Classification, Outcome } from "./types.js";
import { INTERRUPTED, TimedOut, Watch, answer, limited, pause, turn, within } from "./waiting.js";

const OUT_OF_BUDGET = -1 - BUDGET_EXHAUSTED;
const ENDED = -1 - ABORTED;
const DEFERRED = -1 - SCHEDULED;

function begun<T>(setting: Setting, operation: unknown, options: CallOptions | undefined): Steps<T> {
  if (typeof operation !== "function") throw wrongType("operation", operation, "a function");
  return new Steps<T>(setting, options, options === undefined ? false : checked("", options));
}

/** What comes back: the outcome where it is asked for, else the value or an error. */
function given<T>(steps: Steps<T>, told: boolean): Outcome<T> | T {
  const { outcome } = steps;
  if (told) return outcome;
  if (outcome.ok) return outcome.value;
  throw outcome.error;
}

/** Runs a call whose operation may be asynchronous. */
export async function drive<T>(
  setting: Setting,
  operation: (attempt: Attempt) => T | PromiseLike<T>,
  options: CallOptions | undefined,
  told: boolean,
): Promise<Outcome<T> | T> {
  const steps = begun<T>(setting, operation, options);
  const { signal } = steps.options;
  const watch = signal ? new Watch(signal) : undefined;
  let result: CallResult = "cancelled";
  try {
    let begins = setting.circuit === undefined ? steps.begin() : steps.admitted(await asked(setting.circuit, watch));
    // A turn first: a promise that is rejected before anybody can listen costs Node dearly.
    if (!begins) await undefined;
    // As every attempt has the time of the deadline, if there is one.
    steps.ends = begins && steps.timeout() < Infinity;
    while (begins) {
      if (steps.aborted()) {
        result = steps.abort();
        break;
      }
      if (!steps.admits()) {
        result = steps.stop(OPENED, false);
        break;
      }
      const attempt = steps.start();
      let code: number;
      let classification: Classification | null = null;
      try {
        const value =
          watch === undefined && !steps.ends ? await operation(attempt) : await within(operation, attempt, steps, watch);
        classification = steps.ofValue(value);
        if (classification === null) {
          result = steps.succeed(value, told);
          if (told || setting.circuit !== undefined) break;
          return value;
        }
        code = steps.failByValue(value, classification);
      } catch (error) {
        if (error === INTERRUPTED || classification !== null || steps.over) throw error;
        if (asksToStop(error)) {
          result = steps.abort({ error });
          break;
        }
        code = error instanceof TimedOut ? steps.timedOut(error.error) : steps.failBy(error);
      }
      if (code >= 0 && steps.rules.pool !== undefined && !(await granted(steps, watch))) code = OUT_OF_BUDGET;
      let decided = decide(steps, code);
      // A token of a budget of one's own for a delay that does not fit: only if the call is deferred.
      if (decided === DEFERRED && code === TOO_LONG && steps.rules.pool !== undefined && !(await granted(steps, watch))) decided = OUT_OF_BUDGET;
      if (decided < 0) {
        result = stopped(steps, decided);
        break;
      }
      if (code > 0) await sleep(steps, code, watch);
      else await turn();
      begins = steps.woke();
      if (begins && steps.options.beforeRetry !== undefined) {
        const said = await prepared(steps, code, watch);
        begins = steps.woke() && said === undefined;
        if (said === "abort") {
          result = steps.abort();
          break;
        }
      }
      if (!begins) result = steps.stop(DEADLINE, false);
    }
  } catch (error) {
    if (error !== INTERRUPTED) {
      await settle(steps, steps.crash());
      throw error;
    }
    result = steps.abort();
  } finally {
    watch?.end();
  }
  if (setting.circuit !== undefined) await settle(steps, result);
  return given(steps, told);
}

/** Hands the permit back to a breaker of one's own. */
async function settle<T>(steps: Steps<T>, result: CallResult): Promise<void> {
  const held = steps.release();
  if (held === undefined) return;
  try {
    steps.settled(await held.circuit.settle(held.permit, result));
  } catch (error) {
    steps.report(error);
  }
}

/** Asks a breaker of one's own; a permit that comes after the caller's abort goes back. */
async function asked(circuit: Circuit, watch: Watch | undefined): Promise<Admission> {
  const given = circuit.admit();
  try {
    return await answer(given, watch);
  } catch (error) {
    if (error === INTERRUPTED) {
      void Promise.resolve(given).then((late) => (late.ok ? circuit.settle(late.permit, "cancelled") : null)).catch(() => {});
    }
    throw error;
  }
}

/** Whether a budget of one's own grants the retry; one that fails does not. */
async function granted<T>(steps: Steps<T>, watch: Watch | undefined): Promise<boolean> {
  try {
    return (await answer(steps.rules.pool!.consume(1), watch)) === true;
  } catch (error) {
    if (error === INTERRUPTED) throw error;
    steps.report(error);
    return false;
  }
}

async function sleep<T>(steps: Steps<T>, ms: number, watch: Watch | undefined): Promise<void> {
  const hook = steps.beforeSleep(ms);
  if (isThenable(hook)) {
    try {
      await answer(hook, watch);
    } catch (error) {
      if (error === INTERRUPTED) throw error;
      steps.report(error);
    }
  }
  const sleeper = steps.options.sleeper ?? steps.rules.sleeper;
  if (sleeper === undefined) await pause(ms, watch, steps.rules.unref);
  else await answer(sleeper(ms, watch?.signal), watch);
}

/** Runs a call whose operation is synchronous. */
export function driveSync<T>(
  setting: Setting,
  operation: (attempt: Attempt) => T,
  options: CallOptions | undefined,
): T {
  const steps = begun<T>(setting, operation, options);
  try {
    if (setting.circuit === undefined) {
      if (!steps.begin()) return given(steps, false) as T;
    } else if (!steps.admitted(now<Admission>("circuitBreaker.admit", setting.circuit.admit()))) {
      return given(steps, false) as T;
    }
    for (;;) {
      if (steps.aborted()) return endsSync(steps, steps.abort());
      if (!steps.admits()) return endsSync(steps, steps.stop(OPENED, false));
      const attempt = steps.start();
      let code: number;
      const tried = attempted(operation, attempt);
      if (tried.ok) {
        const value = now<T>("callSync", tried.value);
        const classification = steps.ofValue(value);
        if (classification === null) {
          settleSync(steps, steps.succeed(value, false));
          return value;
        }
        code = steps.failByValue(value, classification);
      } else {
        if (asksToStop(tried.error)) return endsSync(steps, steps.abort({ error: tried.error }));
        code = steps.failBy(tried.error);
      }
      const ended = decideSync(steps, code);
      if (ended !== undefined) return endsSync(steps, ended);
      if (code > 0) sleepSync(steps, code);
      const late = prepareSync(steps, code);
      if (late !== undefined) return endsSync(steps, late);
    }
  } catch (error) {
    settleSync(steps, steps.crash());
    throw error;
  }
}

/** Tells what was decided and asks the handler: at least 0 for a retry, else why the call stops. */
function decide<T>(steps: Steps<T>, code: number): number {
  const fits = code !== TOO_LONG;
  if (code < 0 && fits) return code;
  const delay = fits ? code : steps.tooLong;
  if (fits) steps.retries(delay);
  const decision = steps.aborted() ? "abort" : steps.choose(delay);
  if (decision === "abort") return ENDED;
  if (decision === "defer") return steps.defer();
  if (!fits) return DEADLINE;
  steps.sleeps(delay);
  return delay;
}

/** Ends the call for what `decide` says. */
function stopped<T>(steps: Steps<T>, decided: number): CallResult {
  return decided === ENDED ? steps.abort() : steps.stop(decided, decided !== DEFERRED);
}

/** The same with a budget of one's own that answers at once; undefined for a retry. */
export function decideSync<T>(steps: Steps<T>, code: number): CallResult | undefined {
  const { pool } = steps.rules;
  const isGranted = () => pool === undefined || now("budget.consume", pool.consume(1));
  const granted = code < 0 || isGranted() ? code : OUT_OF_BUDGET;
  let decided = decide(steps, granted);
  if (decided === DEFERRED && code === TOO_LONG && !isGranted()) decided = OUT_OF_BUDGET;
  return decided < 0 ? stopped(steps, decided) : undefined;
}

/** Runs `beforeRetry`, until the deadline: "abort", "late", or undefined to go on. */
async function prepared<T>(steps: Steps<T>, delay: number, watch: Watch | undefined): Promise<"abort" | "late" | undefined> {
  const returned = steps.beforeRetry(delay);
  if (!isThenable(returned)) return returned === "abort" ? returned : undefined;
  let end: (() => void) | undefined;
  const asked = new Promise<"abort" | "late" | undefined>((resolve) => {
    const fails = (error: unknown) => resolve(void steps.report(error));
    end = limited(returned, () => steps.rest(), steps.rules.unref, (said) => resolve(said === "abort" ? said : undefined), fails, () => resolve("late"));
  });
  try {
    return await answer(asked, watch);
  } finally {
    end?.();
  }
}

/** Runs `beforeRetry` where nothing waits, once a delay is over; how the call ended, undefined if it goes on. */
export function prepareSync<T>(steps: Steps<T>, delay: number): CallResult | undefined {
  if (!steps.woke()) return steps.stop(DEADLINE, false);
  if (steps.options.beforeRetry === undefined) return undefined;
  const said = now("beforeRetry", steps.beforeRetry(delay));
  const isInTime = steps.woke();
  if (said === "abort") return steps.abort();
  return isInTime ? undefined : steps.stop(DEADLINE, false);
}

function attempted<T>(operation: (attempt: Attempt) => T, attempt: AttemptContext) {
  try {
    return { ok: true as const, value: operation(attempt) };
  } catch (error) {
    return { ok: false as const, error };
  }
}

function endsSync<T>(steps: Steps<T>, result: CallResult): T {
  settleSync(steps, result);
  return given(steps, false) as T;
}

/** Hands the permit back to a breaker of one's own. */
export function settleSync<T>(steps: Steps<T>, result: CallResult): void {
  const held = steps.release();
  if (held !== undefined) steps.settled(now("circuitBreaker.settle", held.circuit.settle(held.permit, result)));
}

/** Runs `beforeSleep`, whose promise nobody waits for. */
export function hookSync<T>(steps: Steps<T>, ms: number): void {
  const hook = steps.beforeSleep(ms);
  if (isThenable(hook)) hook.then(undefined, (error: unknown) => steps.report(error));
}

function sleepSync<T>(steps: Steps<T>, ms: number): void {
  hookSync(steps, ms);
  const sleeper = steps.options.sleeper ?? steps.rules.sleeper;
  if (sleeper === undefined) {
    throw new TypeError(`callSync: a delay of ${ms} ms needs a \`sleeper\` that blocks; or use \`call\``);
  }
  now("sleeper", sleeper(ms));
}

/** An answer that is there already. */
export function now<A>(who: string, returned: A | PromiseLike<A>): A {
  if (!isThenable(returned)) return returned as A;
  // Nobody is going to wait for it.
  returned.then(undefined, () => {});
  throw new TypeError(`${who}: it returned a promise, which only \`call\` and \`execute\` wait for`);
}
