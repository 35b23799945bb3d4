// What the queues share: a job is run under a policy, and what follows is a result, a delay of the queue, or the queue's own failure.

import { checked } from "../call/hooks.js";
import { read } from "../classify/facts.js";
import { isOptions, object, optionValue } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { isForeign } from "../policy/copies.js";
import type {
  Attempt,
  BackoffContext,
  CallOptions,
  ErrorClass,
  Failure,
  PolicyLike,
  Resume,
  Signal,
  SleepDecision,
  StopReason,
} from "../types.js";

/** The options of what runs jobs: those of every call, and what is special about queues. */
export interface JobOptions extends Omit<CallOptions, "resume"> {
  /**
   * Longer delays are the queue's, in milliseconds, 0 and up; this one and shorter ones are waited for in the worker. 0 by
   * default: every delay is the queue's, and no restart loses an attempt that was made. A `sleep` handler is asked first: its
   * "defer" and "abort" stand, and for its "sleep" this limit holds.
   */
  sleepAtMostMs?: number | undefined;
  /**
   * What becomes of a job that the breaker rejects before its first attempt: "defer" has the queue deliver it again once a
   * probe may run, with the attempts that it had, "fail" has it fail. "defer" by default.
   */
  whenOpen?: "defer" | "fail" | undefined;
  /** The least delay of a job that the breaker rejects, in milliseconds, 0 and up; 1,000 by default. */
  rejectedMs?: number | undefined;
}

/** The policy of jobs, or what names that of a job. */
export type JobPolicy<J> = PolicyLike | ((job: J) => PolicyLike);

/** What follows a run of a job. */
export type Next<T> =
  | {
      /** It is done. */
      readonly next: "done";
      /** What the operation returned. */
      readonly value: T;
    }
  | {
      /** The queue delivers it again after a delay. */
      readonly next: "defer";
      /** For how long, in milliseconds; Infinity is as long as can be. */
      readonly delayMs: number;
      /** What travels with it, for the next run; null if no attempt was made so far. */
      readonly resume: Resume | null;
    }
  | {
      /** The worker stops: the queue delivers it again at once, as it was. */
      readonly next: "release";
    }
  | {
      /** The policy has stopped it: the queue's own failure. */
      readonly next: "fail";
      /** Why. */
      readonly why: Stopped;
    };

/** What a deferred job carries. */
export interface Carried {
  /** What it has behind it; null if no attempt was made so far. */
  readonly resume: Resume | null;
  /** What is left of a delay that was longer than its queue can have, in milliseconds: it is waited for first. */
  readonly leftMs: number;
}

/** What a job carries, as it came out of its queue; undefined for one that begins. Data of any other form fails the job. */
export function carriedOf(value: unknown): Carried {
  if (value === undefined) return NOTHING;
  if (!isOptions(value)) return { resume: value as never, leftMs: 0 };
  const { resume = null, leftMs } = value;
  return { resume, leftMs: typeof leftMs === "number" ? leftMs : 0 };
}

const NOTHING: Carried = { resume: null, leftMs: 0 };

/** Runs jobs under a policy. It knows no queue: what follows is for that to carry out. */
export class JobRunner<J> {
  readonly #policyOf: (job: J) => PolicyLike;
  readonly #settings: CallOptions;
  readonly #sleepAtMostMs: number;
  readonly #defersRejected: boolean;
  readonly #rejectedMs: number;

  /** Checks both; `path` names the queue in errors. */
  constructor(policy: JobPolicy<J>, options: JobOptions = {}, path = "jobs") {
    const { sleepAtMostMs, whenOpen, rejectedMs, ...settings } = object(path, options) as JobOptions;
    checked(path, settings);
    if ("resume" in settings) refuse(`${path}.resume`, settings.resume, "left out: it travels with each job");
    if (whenOpen !== undefined && whenOpen !== "defer" && whenOpen !== "fail")
      refuse(`${path}.whenOpen`, whenOpen, '"defer" or "fail"');
    this.#policyOf = policyOf(path, policy);
    this.#settings = settings;
    this.#sleepAtMostMs = optionValue(`${path}.sleepAtMostMs`, sleepAtMostMs, [0]);
    this.#defersRejected = whenOpen !== "fail";
    this.#rejectedMs = optionValue(`${path}.rejectedMs`, rejectedMs, [1_000]);
  }

  /**
   * Runs a job, or says how long it still has to wait. `own` has options of this run alone: its `signal` is the queue's, and
   * ends the job with a failure. It never rejects: what a handler throws is a failure, too.
   */
  async run<T>(
    job: J,
    operation: (attempt: Attempt) => T,
    { resume, leftMs }: Carried = NOTHING,
    own: Pick<CallOptions, "signal" | "operation"> = {},
  ): Promise<Next<Awaited<T>>> {
    if (leftMs > 0) return { next: "defer", delayMs: leftMs, resume };
    try {
      const outcome = await this.#policyOf(job).execute(operation, this.#optionsOf(resume, own));
      return outcome.ok ? { next: "done", value: outcome.value } : this.#after(outcome, resume);
    } catch (cause) {
      return { next: "fail", why: { stopReason: null, lastClass: null, attempts: resume?.attempts ?? 0, cause } };
    }
  }

  /** The options of a run. */
  #optionsOf(resume: Resume | null, own: Pick<CallOptions, "signal" | "operation">): CallOptions {
    const { signal } = this.#settings;
    const options: CallOptions = { ...own, ...this.#settings, sleep: this.#decide };
    if (own.signal)
      options.signal = signal ? (AbortSignal.any([signal, own.signal] as AbortSignal[]) as Signal) : own.signal;
    if (resume !== null) {
      options.resume = resume;
      // It was the first run's; what is left of it is in `resume`.
      delete options.deadlineMs;
    }
    return options;
  }

  /** What follows a run without a success. */
  #after(outcome: Failure<unknown>, resume: Resume | null): Next<never> {
    const { stopReason, error } = outcome;
    if (stopReason === "SCHEDULED")
      return { next: "defer", delayMs: outcome.nextSleepMs ?? 0, resume: outcome.resume ?? resume };
    if (this.#defersRejected && stopReason === null && read(error, "name") === "CircuitOpenError") {
      const asked = read(error, "retryAfterMs");
      return { next: "defer", delayMs: Math.max(this.#rejectedMs, typeof asked === "number" ? asked : 0), resume };
    }
    const isToldToStop = stopReason === "ABORTED" && this.#settings.signal?.aborted === true;
    return isToldToStop ? { next: "release" } : { next: "fail", why: stopped(outcome) };
  }

  /** Which delays are the queue's. One that does not fit before the deadline is not waited for: the call ends with DEADLINE_EXCEEDED. */
  readonly #decide = (context: BackoffContext, sleepMs: number): SleepDecision => {
    const { sleep } = this.#settings;
    const decision = sleep === undefined ? "sleep" : sleep(context, sleepMs);
    const fits = context.remainingMs === null || sleepMs < context.remainingMs;
    return decision === "sleep" && fits && sleepMs > this.#sleepAtMostMs ? "defer" : decision;
  };
}

/** A policy, checked, as a function of the job. */
function policyOf<J>(path: string, policy: JobPolicy<J>): (job: J) => PolicyLike {
  if (typeof policy === "function") return policy;
  if (isForeign(policy) || typeof read(policy, "execute") !== "function")
    refuse(`${path}.policy`, policy, "a policy, or a function that names that of a job");
  return () => policy;
}

/** Why a job has stopped, for the queue's own failure. */
export interface Stopped {
  /** Why; null if it was not the policy, but what the run itself threw, a handler for instance. */
  readonly stopReason: StopReason | null;
  /** The class of the latest failure; null without one. */
  readonly lastClass: ErrorClass | null;
  /** How many attempts were made, in all runs. */
  readonly attempts: number;
  /** What the call throws. */
  readonly cause: unknown;
}

/** Why a policy has stopped a job. */
function stopped({ stopReason, lastClass, attempts, error }: Failure<unknown>): Stopped {
  return { stopReason: stopReason ?? "CIRCUIT_OPEN", lastClass, attempts, cause: error };
}

/** The reason in one word: that of the policy, or ERROR. */
export const reasonOf = ({ stopReason }: Stopped): string => stopReason ?? "ERROR";

/** What the cause says. */
export function messageOf({ cause }: Stopped): string {
  const message = read(cause, "message");
  return typeof message === "string" ? message : String(cause);
}

/** All of it in a line: `MAX_ATTEMPTS_GLOBAL, SERVER_ERROR, after 3 attempts: bad gateway`. */
export function lineOf(why: Stopped): string {
  const { lastClass, attempts } = why;
  const words = [reasonOf(why), lastClass].filter((word) => word !== null);
  return `${words.join(", ")}, after ${attempts} ${attempts === 1 ? "attempt" : "attempts"}: ${messageOf(why)}`;
}
