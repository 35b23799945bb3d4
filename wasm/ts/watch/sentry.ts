// Events as breadcrumbs of Sentry, and final failures as its events.

import type { EventName, PolicyEvent } from "../types.js";
import { levelOf } from "./events.js";
import { peer } from "./peer.js";
import type { Watcher } from "./watch.js";

/** What is needed of an SDK of Sentry: @sentry/node, @sentry/cloudflare, @sentry/browser and their like. */
export interface SentrySdk {
  /** Adds a breadcrumb. */
  addBreadcrumb(breadcrumb: any): unknown;
  /** Reports an error. */
  captureException(error: unknown, context?: any): unknown;
  /** Reports words. */
  captureMessage(message: string, context?: any): unknown;
}

/** What is reported. */
export interface SentryOptions {
  /** The events that are reported besides: the final failures by default, which are `FINAL_FAILURES`; an empty array for none. */
  capture?: readonly EventName[] | undefined;
}

/** How a call ends that has failed for good: not by an abort, an open breaker or a deferral. */
export const FINAL_FAILURES: readonly EventName[] = [
  "permanent_fail",
  "deadline_exceeded",
  "max_attempts_exceeded",
  "max_unknown_attempts_exceeded",
  "no_strategy_configured",
  "budget_exhausted",
];

const LEVELS = { debug: "info", info: "info", warn: "warning" } as const;

/**
 * Adds a breadcrumb for each event, and reports the final failures: the error itself, with class, stop reason, operation
 * and upstream as tags; where the latest attempt threw none, a message.
 *
 * `sdk` is the module: `import * as Sentry from "@sentry/node"`. Sentry reports the same error object once, also where the
 * program reports it, too.
 */
export function sentry(sdk: SentrySdk, { capture = FINAL_FAILURES }: SentryOptions = {}): Watcher {
  const needs = 'an SDK of Sentry: npm install @sentry/node, and import * as Sentry from "@sentry/node"';
  const to = peer("sentry", sdk, ["addBreadcrumb", "captureException", "captureMessage"], needs);
  if (!Array.isArray(capture)) throw new TypeError(`sentry.capture: ${String(capture)} is not an array of events`);
  return {
    watch({ upstream }) {
      const named = upstream === undefined ? {} : { upstream };
      const onEvent = (event: PolicyEvent) => {
        const fields = { ...named, ...event };
        const isFinal = FINAL_FAILURES.includes(event.event);
        const level = isFinal ? "error" : LEVELS[levelOf(event)];
        to.addBreadcrumb({ category: "redress", message: event.event, level, data: fields });
        if (!capture.includes(event.event)) return;
        const tags: Record<string, string> = { "redress.event": event.event };
        const { operation, class: errorClass, stopReason } = event;
        for (const [name, value] of Object.entries({ upstream, operation, class: errorClass, stopReason }))
          if (value !== undefined) tags[`redress.${name}`] = value;
        const context = { level: "error", tags, contexts: { redress: fields } };
        if (event.error === undefined) to.captureMessage(`redress.${event.event}`, context);
        else to.captureException(event.error, context);
      };
      return () => ({ onEvent });
    },
  };
}
