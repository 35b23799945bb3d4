// Notifying the hooks of a policy and of a call; what they throw changes nothing.

import { byClass, type Checks, NULLABLE, object, options, optionValue, unknown, WHOLE } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type { AttemptEnd, AttemptInfo, CallOptions, Hooks, PolicyEvent, Tags } from "../types.js";

/** What a deferred call has behind it. */
const RESUME: Checks = {
  attempts: [undefined, WHOLE, 1, 2 ** 32 - 1],
  failures: (path, value) => byClass(path, value, [undefined, WHOLE, 0, 65_535], 0),
  previousSleepMs: [undefined],
  elapsedMs: [undefined],
  remainingMs: [undefined, NULLABLE],
};

/** The options of a call, which are looked up by any name: it inherits none. */
const CHECKS: Checks = {
  __proto__: null as never,
  operation: "string",
  signal: (path, value) =>
    typeof value.addEventListener === "function" ? value : refuse(path, value, "an AbortSignal"),
  deadlineMs: [undefined, NULLABLE],
  resume: (path, value) => options(path, value, RESUME),
  captureTimeline: "boolean",
  stackTrace: "boolean",
  abortIf: "function",
  sleep: "function",
  beforeSleep: "function",
  beforeRetry: "function",
  sleeper: "function",
  onHookError: "function",
  onEvent: "function",
  onMetric: "function",
  onLog: "function",
  onAttemptStart: "function",
  onAttemptEnd: "function",
};
export const CALL_KEYS = /* @__PURE__ */ Object.keys(CHECKS);

/** Checks the options of a call; whether anything in them observes it. */
export function checked(path: string, options: CallOptions): boolean {
  const settings = object(path || "options", options);
  let observes = false;
  for (const key of Object.keys(settings)) {
    const value: unknown = settings[key];
    const check = CHECKS[key];
    // Most are functions; those need no path.
    if (check === undefined || (typeof value !== check && value !== undefined && value !== null)) {
      const at = path === "" ? key : `${path}.${key}`;
      if (check === undefined) unknown(at, value, CALL_KEYS);
      else optionValue(at, value, check);
    }
    const isObserver = typeof value === "function" && key.startsWith("on") && key !== "onHookError";
    if (isObserver || (key === "captureTimeline" && value === true)) observes = true;
  }
  return observes;
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
    // As a page reports errors. Where there is none it would end the process in Deno, and change its exit code in Bun.
    else if (typeof document === "object" && typeof reportError === "function") reportError(error);
    else console.error("redress: a hook failed:", error);
  } catch {
    // Nothing is left that could report it.
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
  } catch {
    // A getter that throws, a proxy that was revoked.
    return false;
  }
}
