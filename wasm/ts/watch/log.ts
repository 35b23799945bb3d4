// Events as lines of a log.

import type { PolicyEvent } from "../types.js";
import { levelOf } from "./events.js";
import { peer } from "./peer.js";
import type { Watcher } from "./watch.js";

/** The levels of a log. */
export type LogLevel = "debug" | "info" | "warn";

/** What is needed of a logger: `console`, pino, or one like either. */
export interface Logger {
  /** Of a success. */
  debug(...words: any[]): unknown;
  /** Of a breaker that becomes half-open or closed. */
  info(...words: any[]): unknown;
  /** Of a retry, of a call that stopped, of a breaker that opens. */
  warn(...words: any[]): unknown;
  /** Pino has it, and takes the fields before the words. */
  child?: unknown;
}

/** What is written. */
export interface LogOptions {
  /** The least level that is written: "debug", which is the default, "info" or "warn". A logger has its own besides. */
  level?: LogLevel | undefined;
}

const LEVELS = ["debug", "info", "warn"];

/**
 * Writes a line for each event: a success at level debug, a breaker that becomes half-open or closed at info, all else
 * at warn. Without a logger it is the console. Fields are those of the event, with `upstream`; of an error they have the name alone.
 */
export function log(logger: Logger = console, { level = "debug" }: LogOptions = {}): Watcher {
  const to = peer("log", logger, ["debug", "info", "warn"], "a logger: console, pino(), or one with their methods");
  const least = LEVELS.indexOf(level);
  if (least < 0) throw new TypeError(`log.level: ${String(level)} is not "debug", "info" or "warn"`);
  const takesFieldsFirst = typeof to.child === "function";
  return {
    watch({ upstream }) {
      const named = upstream === undefined ? {} : { upstream };
      const onEvent = (event: PolicyEvent) => {
        const at = levelOf(event);
        if (LEVELS.indexOf(at) < least) return;
        const words = `redress: ${event.event}`;
        const fields = { ...named, ...event };
        if (takesFieldsFirst) to[at](fields, words);
        else to[at](words, fields);
      };
      return () => ({ onEvent });
    },
  };
}
