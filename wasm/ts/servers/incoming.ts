// What the servers share: how long a request's sender waits, whether it still does, and what a call needs of both.

import { read } from "../classify/facts.js";
import { object, optionValue } from "../config/checks.js";
import { CHECKS, type RetryOptions } from "../policy/retry-options.js";
import type { CallOptions, PolicyLike, Signal } from "../types.js";

const REQUEST_DEADLINE = "x-request-deadline";
const GRPC_TIMEOUT = "grpc-timeout";

/** The options of a server. */
export interface RequestsOptions {
  /** The most time for each request, in milliseconds, also for one that brings no deadline; no limit by default. */
  atMostMs?: number | undefined;
}

/** The most time for each request, checked; Infinity for no limit. */
export function atMost(path: string, options: RequestsOptions): number {
  const { atMostMs } = object(path, options) as RequestsOptions;
  return optionValue(`${path}.atMostMs`, atMostMs, [Infinity, 0, 0]) as number;
}

/** A value of a header, if it is there. */
export type Header = (name: string) => string | undefined;

/**
 * How many milliseconds the sender of a request still waits, by `x-request-deadline` (whole milliseconds) or `grpc-timeout`,
 * the shorter of both; Infinity without either. A sentence for the sender if a header cannot be read.
 *
 * The time is a span and not an instant, because the clocks of two machines differ.
 */
export function deadlineOf(header: Header): number | string {
  let shortest = Infinity;
  for (const [name, parse, expected] of HEADERS) {
    const value = header(name);
    if (value === undefined) continue;
    const ms = parse(value);
    if (ms === undefined) return `${name}: ${JSON.stringify(value)} is not ${expected}`;
    shortest = Math.min(shortest, ms);
  }
  return shortest;
}

/** Of each unit of `grpc-timeout` its milliseconds: "gRPC over HTTP/2", `Timeout`. */
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

const HEADERS: readonly (readonly [string, (text: string) => number | undefined, string])[] = [
  [REQUEST_DEADLINE, (text) => (/^\d+$/.test(text) ? Number(text) : undefined), "a whole number of milliseconds"],
  [
    GRPC_TIMEOUT,
    (text) => {
      const [, number, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
      return unit === undefined ? undefined : Number(number) * UNITS[unit]!;
    },
    "1 to 8 digits and one of H, M, S, m, u and n",
  ],
];

/** The reasons of requests whose deadline has passed. */
const reasons = new WeakSet<object>();

/** Whether it is why a request was aborted at its deadline. */
export const isLate = (error: unknown): boolean => reasons.has(Object(error));

/** A request that is handled. */
export class Incoming {
  readonly #dueMs: number;
  readonly #operation: () => string;
  readonly #controller = new AbortController();
  #timer: unknown;

  /** One whose sender waits so many milliseconds more, or for ever. */
  constructor(leftMs: number, operation: () => string) {
    this.#dueMs = performance.now() + leftMs;
    this.#operation = operation;
  }

  /** What the calls need that are made for it. */
  options(policy: PolicyLike | undefined): CallOptions {
    const leftMs = this.#dueMs - performance.now();
    const options: CallOptions = { operation: this.#operation(), signal: this.#controller.signal as Signal };
    if (leftMs === Infinity) return options;
    this.#timer ??= this.#expires(leftMs);
    options.deadlineMs = Math.max(Math.min(leftMs, deadlineOfPolicy(policy)), 0);
    return options;
  }

  /** Aborts what is under way for it at its deadline, for clients that know a signal and no deadline. */
  #expires(leftMs: number): unknown {
    const late = () => {
      const reason = new DOMException("the request took too long", "TimeoutError");
      reasons.add(reason);
      this.abort(reason);
    };
    const timer: unknown = setTimeout(late, Math.min(Math.max(leftMs, 0), 2 ** 31 - 1));
    (read(timer, "unref") as (() => void) | undefined)?.call(timer);
    return timer;
  }

  /** Its sender waits no more. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.end();
  }

  /** It is answered. */
  end(): void {
    clearTimeout(this.#timer as number);
  }
}

/** What a whole call may take by its policy, in milliseconds. */
function deadlineOfPolicy(policy: PolicyLike | undefined): number {
  const config = read(read(policy, "retry"), "config") as RetryOptions | undefined;
  const limit: number =
    config === undefined ? NaN : optionValue("deadlineMs", config.deadlineMs, CHECKS["deadlineMs"]!);
  return Number.isNaN(limit) ? Infinity : limit;
}

/** Why a request is aborted whose client has gone. */
export const gone = (): DOMException => new DOMException("the client has gone", "AbortError");

/** What a server of this name must have done before a handler asks for the options of its calls. */
export function known(found: Incoming | undefined, name: string, how: string): Incoming {
  if (found === undefined)
    throw new Error(`redress/${name}: ${how} comes before the handlers that ask for callOptions`);
  return found;
}
