// The synchronous scheduler: what cannot be had at once is an error.

import { refuse } from "../config/issues.js";
import { isForeign } from "../policy/copies.js";
import type { Runner } from "../policy/policy.js";
import type { Attempt, CallOptions } from "../types.js";
import type { Setting } from "./codes.js";
import { isThenable } from "./hooks.js";
import { type Action, ASK, Machine, READY, RUN, type Scheduling, WAIT } from "./machine.js";
import { valueOrThrow } from "./outcomes.js";

/** A fake policy, which says itself what a call returns. */
interface Faked {
  /** What `callSync` returns, or throws. */
  callSync(operation: (attempt: Attempt) => unknown, options?: CallOptions): unknown;
}

const AT_ONCE: Scheduling = { timed: false, waits: false };

/**
 * Runs a synchronous operation until it succeeds or the policy stops it, and throws what it threw last. A delay needs a
 * `sleeper` that blocks; a breaker and a budget of your own must answer at once.
 */
export function callSync<T>(policy: Runner | Faked, operation: (attempt: Attempt) => T, options?: CallOptions): T {
  // A fake policy of `redress/testing` answers by itself.
  if (typeof (policy as Faked | null)?.callSync === "function")
    return (policy as Faked).callSync(operation, options) as T;
  return run(settingOf("callSync", policy as Runner), operation, options);
}

/** The setting of a policy of this copy of the package: another has it in its own memory. */
export function settingOf(path: string, policy: Runner | null | undefined): Setting {
  return (isForeign(policy) ? undefined : policy?.setting) ?? refuse<Setting>(path, policy, "a policy");
}

function run<T>(setting: Setting, operation: (attempt: Attempt) => T, options: CallOptions | undefined): T {
  if (typeof operation !== "function") refuse("operation", operation, "a function");
  const machine = new Machine<T>(setting, options, AT_ONCE);
  try {
    for (let action: Action = machine.begin(); ; ) {
      if (action === READY) action = machine.start();
      else if (action === RUN) action = attempted(machine, operation);
      else if (action === WAIT) action = slept(machine);
      else if (action === ASK) throw later(machine.asked, machine.answer);
      else break;
    }
  } catch (bug) {
    machine.cancel();
    throw bug;
  }
  return valueOrThrow(machine);
}

function attempted<T>(machine: Machine<T>, operation: (attempt: Attempt) => T): Action {
  let value: T;
  try {
    value = operation(machine.current);
  } catch (error) {
    return machine.failed(error);
  }
  if (isThenable(value)) throw later("callSync", value);
  return machine.succeeded(value);
}

function slept<T>(machine: Machine<T>): Action {
  const { sleepMs: delay, options, rules } = machine;
  if (delay > 0) {
    const sleeper = options.sleeper ?? rules.sleeper;
    if (sleeper === undefined)
      throw new TypeError(`callSync: a delay of ${delay} ms needs a \`sleeper\` that blocks; or use \`call\``);
    const returned = sleeper(delay);
    if (isThenable(returned)) throw later("sleeper", returned);
  }
  return machine.waited();
}

/** The error about an answer that comes later. */
export function later(who: string, returned: unknown): TypeError {
  // No one is going to wait for it.
  (returned as PromiseLike<unknown>).then(undefined, () => {});
  return new TypeError(`${who}: it returned a promise, which only \`call\` and \`execute\` wait for`);
}
