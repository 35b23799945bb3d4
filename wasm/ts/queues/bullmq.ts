// Jobs of BullMQ: its delayed set carries the delays of a policy, and its failed set has the jobs that a policy has stopped.

import { isOptions } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import type { Attempt, ErrorClass, Resume, Signal, StopReason } from "../types.js";
import { type Carried, carriedOf, type JobOptions, type JobPolicy, JobRunner, lineOf, type Stopped } from "./jobs.js";
import { LONGEST_DELAY_MS } from "./limits.js";

/** What is needed of a job of BullMQ. */
export interface BullJob {
  /** What it was added with: an object, in which `redress` is what a deferred job carries. */
  readonly data: any;
  /** Its name. */
  readonly name: string;
  /** How often it has failed for BullMQ. */
  readonly attemptsMade: number;
  /** Replaces its data. */
  updateData(data: any): Promise<void>;
  /** Has it wait until an instant. */
  moveToDelayed(timestamp: number, token?: string): Promise<void>;
  /** Gives it back. */
  moveToWait(token?: string): Promise<unknown>;
  /** Extends the worker's lock; absent in a sandbox. */
  extendLock?(token: string, duration: number): Promise<number>;
}

/** What a deferred job carries in its data, as `redress`. */
interface Written {
  readonly resume: Resume | null;
  /** When it is due, in milliseconds since 1970. */
  readonly dueMs: number;
  /** The delay until then, in milliseconds. */
  readonly delayMs: number;
  /** How often it had failed for BullMQ: more often, and it was taken out of the failed set by hand. */
  readonly made: number;
}

/** The error of a job that its policy has stopped: BullMQ moves it to its failed set, whatever its own `attempts` are. */
export class StoppedJobError extends Error implements Stopped {
  /** `"UnrecoverableError"`, by which BullMQ knows it. */
  override readonly name: string = "UnrecoverableError";
  /** Why. */
  readonly stopReason: StopReason | null;
  /** The class of the latest failure; null without one. */
  readonly lastClass: ErrorClass | null;
  /** How many attempts were made, in all runs. */
  readonly attempts: number;
  /** What the call throws. */
  override readonly cause: unknown;

  /** The message has the reason, the class, the attempts and the message of the cause. */
  constructor(why: Stopped) {
    super(lineOf(why));
    this.stopReason = why.stopReason;
    this.lastClass = why.lastClass;
    this.attempts = why.attempts;
    this.cause = why.cause;
    // What BullMQ keeps of a failed job.
    if (why.cause instanceof Error && why.cause.stack) this.stack = `${this.message}\n${why.cause.stack}`;
  }
}

/**
 * How long the lock is held from a deferral on, in milliseconds: two commands. If the worker is killed between them, another
 * one has the job after that; if they take longer, the second one fails, and the job is stalled with what it carries.
 */
const LOCK_MS = 5_000;

/** What BullMQ takes for "it is moved already", by its name. */
function moved(name: "DelayedError" | "WaitingError"): Error {
  return Object.assign(new Error(name === "DelayedError" ? "bullmq:movedToDelayed" : "bullmq:movedToWait"), { name });
}

/**
 * The processor of a worker: `new Worker(name, processor(policy, (job, { signal }) => .., options), { connection })`. A delay of
 * the policy becomes that of the queue, and the job goes on with the next attempt; a job that the policy stops fails with a
 * `StoppedJobError`. The job's data must be an object.
 */
export function processor<J extends BullJob, T>(
  policy: JobPolicy<J>,
  operation: (job: J, attempt: Attempt) => T,
  options?: JobOptions,
): (job: J, token?: string, signal?: Signal) => Promise<Awaited<T>> {
  const runner = new JobRunner(policy, options, "processor");
  if (typeof operation !== "function") refuse("processor.operation", operation, "a function");
  // BullMQ gives a signal to those that have three parameters.
  return async (job, token, signal): Promise<Awaited<T>> => {
    const next = await runner.run<T>(job, (attempt) => operation(job, attempt), carriedBy(job), {
      signal,
      operation: job.name,
    });
    switch (next.next) {
      case "done":
        return next.value;
      case "defer":
        return defer(job, token, next.delayMs, next.resume);
      case "release":
        await job.moveToWait(token);
        throw moved("WaitingError");
      case "fail":
        throw new StoppedJobError(next.why);
    }
  };
}

/** What a job carries. */
function carriedBy({ data, attemptsMade }: BullJob): Carried {
  if (!isOptions(data))
    return refuse<never>("job.data", data, "an object, which carries what is behind a deferred job");
  const written = data["redress"] as Written | undefined;
  if (written === undefined || written.made !== attemptsMade) return carriedOf(undefined);
  // It is early if its worker was killed between two commands; and a clock may be wrong.
  return { resume: written.resume, leftMs: Math.min(written.dueMs - Date.now(), written.delayMs) };
}

/** Moves a job to the delayed set, with what is behind it. */
async function defer(job: BullJob, token: string | undefined, delayMs: number, resume: Resume | null): Promise<never> {
  const portionMs = Math.min(delayMs, LONGEST_DELAY_MS.bullmq);
  const dueMs = Date.now() + portionMs;
  const written: Written = { resume, dueMs, delayMs: portionMs, made: job.attemptsMade };
  // BullMQ writes data without a look at the lock: a worker that has lost it would overwrite what the next one has written.
  if (token !== undefined && (await job.extendLock?.(token, LOCK_MS)) === 0)
    throw new Error(`the lock of job ${job.name} is lost: another worker has it`);
  await job.updateData({ ...job.data, redress: written });
  await job.moveToDelayed(dueMs, token);
  throw moved("DelayedError");
}
