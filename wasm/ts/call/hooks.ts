// Notifying the hooks of a policy and of a call; what they throw changes nothing.

import { NULLABLE, number, unknown, wrongType } from "../config/options.js";
import type { AttemptEnd, AttemptInfo, CallOptions, Hooks, PolicyEvent, Tags } from "../types.js";

const VALUE = 0;
const LISTENER = 2;
/** The options of a call by what they are: values, functions, and hooks that listen. */
const KINDS: Record<string, number> = /* @__PURE__ */ Object.fromEntries(
  [
    "operation signal deadlineMs captureTimeline stackTrace",
    "abortIf sleep beforeSleep beforeRetry sleeper onHookError",
    "onEvent onMetric onLog onAttemptStart onAttemptEnd",
  ].flatMap((names, kind) => names.split(" ").map((name) => [name, kind])),
);

export const CALL_KEYS = /* @__PURE__ */ Object.keys(KINDS);

/** Checks the options of a call; whether anything in them listens. */
export function checked(path: string, options: CallOptions): boolean {
  if (typeof options !== "object" || options === null)
    throw wrongType(path || "options", options, "an object of options");
  let listens = false;
  for (const key in options) {
    const kind = KINDS[key];
    if (kind === undefined) throw unknown(path, key, CALL_KEYS);
    const value = options[key as keyof CallOptions] as unknown;
    if (value === undefined || value === null) continue;
    if (kind === VALUE) check(path, key, value);
    else if (typeof value !== "function") throw wrongType(path === "" ? key : `${path}.${key}`, value, "a function");
    else if (kind === LISTENER) listens = true;
    if (key === "captureTimeline" && value === true) listens = true;
  }
  return listens;
}

function check(path: string, key: string, value: any): void {
  const at = path === "" ? key : `${path}.${key}`;
  if (key === "signal") {
    const fits = typeof value === "object" && typeof value.addEventListener === "function";
    if (!fits) throw wrongType(at, value, "an AbortSignal");
  } else if (key === "deadlineMs") number(at, value, [undefined, NULLABLE]);
  else if (typeof value !== (key === "operation" ? "string" : "boolean")) {
    throw wrongType(at, value, key === "operation" ? "a string" : "true or false");
  }
}

/** Notifies every hook of one event. */
export function notify(listeners: readonly Hooks[], event: PolicyEvent): void {
  for (const hooks of listeners) {
    if (hooks.onEvent) guard(listeners, () => hooks.onEvent!(event));
    if (hooks.onMetric)
      guard(listeners, () => hooks.onMetric!(event.event, event.attempt, event.sleepMs, tagsOf(event)));
    if (hooks.onLog) guard(listeners, () => hooks.onLog!(event.event, fieldsOf(event)));
  }
}

export function notifyStart(listeners: readonly Hooks[], attempt: AttemptInfo): void {
  for (const hooks of listeners) {
    if (hooks.onAttemptStart) guard(listeners, () => hooks.onAttemptStart!(attempt));
  }
}

export function notifyEnd(listeners: readonly Hooks[], attempt: AttemptEnd): void {
  for (const hooks of listeners) {
    if (hooks.onAttemptEnd) guard(listeners, () => hooks.onAttemptEnd!(attempt));
  }
}

const TAGS = ["class", "cause", "stopReason", "state", "operation", "err"] as const;

function tagsOf(event: PolicyEvent): Tags {
  const tags: Record<string, unknown> = {};
  for (const tag of TAGS) if (event[tag] !== undefined) tags[tag] = event[tag];
  return tags as Tags;
}

function fieldsOf(event: PolicyEvent): Record<string, unknown> {
  const { event: _, ...fields } = event;
  return fields;
}

/** Runs a hook; what it throws, now or later, is reported. */
function guard(listeners: readonly Hooks[], hook: () => unknown): void {
  try {
    const returned = hook();
    if (isThenable(returned)) returned.then(undefined, (error: unknown) => report(listeners, error));
  } catch (error) {
    report(listeners, error);
  }
}

/** Reports what a callback threw: to the hook for it, else as the runtime reports errors. */
export function report(listeners: readonly Hooks[], error: unknown): void {
  const hook = listeners.findLast((hooks) => hooks.onHookError)?.onHookError;
  try {
    if (hook) hook(error);
    else if (typeof globalThis.reportError === "function") globalThis.reportError(error);
    else console.error(error);
  } catch {
    // Nothing is left that could report it.
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
