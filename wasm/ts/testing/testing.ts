// For the tests of programs that use redress: time, randomness, strategies and policies in the hand.

import { constant, sequence } from "../backoff/builtin.js";
import type { Backoff } from "../backoff/strategy.js";
import { known, number } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { RETRY_KEYS, RetryConfig, type RetryOptions } from "../policy/retry-options.js";
import type {
  Admission,
  Attempt,
  CallOptions,
  CallResult,
  Circuit,
  CircuitState,
  Outcome,
  PolicyLike,
} from "../types.js";

/** A clock that moves when it is told to, or when a policy sleeps on it. */
export class MockClock {
  /** The present, in milliseconds. */
  nowMs: number;
  /** Every delay that was slept, in milliseconds. */
  readonly sleeps: number[] = [];

  /** A clock that shows `startMs`, in milliseconds; 0 by default. */
  constructor(startMs = 0) {
    this.nowMs = number("MockClock.startMs", startMs, [undefined]);
  }

  /** Moves it forward by so many milliseconds, 0 and up. */
  advance(ms: number): void {
    this.nowMs += number("MockClock.advance", ms, [undefined]);
  }

  /** The options that put a policy on this clock. */
  options(): {
    /** The present of this clock. */
    clock: () => number;
    /** Moves this clock by a delay at once, and remembers it in `sleeps`. */
    sleeper: (ms: number) => void;
  } {
    return {
      clock: () => this.nowMs,
      sleeper: (ms) => {
        this.sleeps.push(ms);
        this.nowMs += ms;
      },
    };
  }
}

/** Randomness that plays a script of numbers from 0 to 1, without 1; its last one again and again. */
export function scriptedRandom(numbers: readonly number[]): () => number {
  const list = Array.isArray(numbers) ? numbers : refuse("scriptedRandom", numbers, "an array of numbers", [0]);
  if (list.length === 0) refuse("scriptedRandom.length", 0, "at least one number", 0, "is out of range");
  const script = list.map((one, nth) =>
    number(`scriptedRandom[${nth}]`, one, [undefined, 0, 0, 1 - Number.EPSILON / 2]),
  );
  let drawn = 0;
  return () => script[Math.min(drawn++, script.length - 1)]!;
}

/** A strategy of these delays in milliseconds, the last one again and again. */
export class DeterministicStrategy {
  readonly #delays: readonly number[];

  /** Delays in milliseconds, 0 and up, at most 10,000 of them. */
  constructor(delaysMs: readonly number[]) {
    sequence(delaysMs);
    this.#delays = [...delaysMs];
  }

  /** The delay after the n-th failure; none of an empty list. */
  delay({
    attempt,
  }: {
    /** The number of the attempt that failed, from 1. */
    readonly attempt: number;
  }): number | null {
    return this.#delays[Math.min(attempt, this.#delays.length) - 1] ?? null;
  }
}

/** The same settings without any delay: every class that was retried still is. */
export function instantRetries(config: RetryOptions): RetryConfig {
  const at = constant(0);
  const { strategy, strategies, ...rest } = known("instantRetries", config, RETRY_KEYS) as RetryOptions;
  const own = Object.entries(strategies ?? {}).map(([name, one]) => [name, one === undefined ? one : at] as const);
  return new RetryConfig({
    ...rest,
    ...(strategy === undefined ? {} : { strategy: at }),
    strategies: Object.fromEntries(own) as Record<string, Backoff | undefined>,
  });
}

/** The same settings with a single attempt. */
export function noRetries(config: RetryOptions): RetryConfig {
  return new RetryConfig({ ...known("noRetries", config, RETRY_KEYS), maxAttempts: 1 });
}

/** What a fake policy answers: a result, an error, or a whole outcome. */
export type FakeAnswer =
  | {
      /** What `call` returns. */
      result: unknown;
    }
  | {
      /** What `call` throws. */
      error: unknown;
    }
  | {
      /** What `execute` returns, and `call` by it. */
      outcome: Outcome<any>;
    };

/** A policy that answers as it is told, without running anything. */
export class FakePolicy implements PolicyLike {
  readonly #outcome: Outcome<any>;

  /** A policy with one answer to every call. */
  constructor(answer: FakeAnswer) {
    if (Object.keys(known("FakePolicy", answer, ["result", "error", "outcome"])).length !== 1) {
      refuse("FakePolicy", answer, "one of { result }, { error } and { outcome }");
    }
    this.#outcome = outcomeOf(answer);
  }

  /** The value of the answer, or throws its error; the operation is not run. */
  async call(_operation: unknown, _options?: CallOptions): Promise<any> {
    return this.callSync(_operation, _options);
  }

  /** The outcome of the answer; the operation is not run. */
  async execute(_operation: unknown, _options?: CallOptions): Promise<Outcome<any>> {
    return this.#outcome;
  }

  /** The same as `call`, at once; `callSync` asks it. */
  callSync(_operation: unknown, _options?: CallOptions): any {
    if (this.#outcome.ok) return this.#outcome.value;
    throw this.#outcome.error;
  }
}

const TOLD = { attempts: 0, elapsedMs: 0, lastClass: null, cause: null, stopReason: null, nextSleepMs: null };

function outcomeOf(answer: FakeAnswer): Outcome<any> {
  if ("outcome" in answer) return answer.outcome;
  if ("error" in answer)
    return { ok: false, ...TOLD, error: answer.error, lastError: answer.error, lastResult: undefined, resume: null };
  return { ok: true, ...TOLD, value: answer.result };
}

/** A call that a `RecordingPolicy` was asked for. */
export interface RecordedCall {
  /** The operation that was run. */
  readonly operation: (attempt: Attempt) => unknown;
  /** The options of the call; empty if it had none. */
  readonly options: CallOptions;
}

/** A policy that runs each operation once and remembers what it was asked. */
export class RecordingPolicy implements PolicyLike {
  /** Every call, in order. */
  readonly calls: RecordedCall[] = [];

  /** Runs the operation once: what it returns, or throws what it throws. */
  async call<T>(operation: (attempt: Attempt) => T, options: CallOptions = {}): Promise<Awaited<T>> {
    return await this.callSync(operation, options);
  }

  /** Runs the operation once; the outcome of that attempt. */
  async execute<T>(operation: (attempt: Attempt) => T, options: CallOptions = {}): Promise<Outcome<Awaited<T>>> {
    try {
      const value = await this.callSync(operation, options);
      return { ok: true, ...TOLD, attempts: 1, value };
    } catch (error) {
      const failed = { attempts: 1, cause: "exception", error, lastError: error } as const;
      return { ok: false, ...TOLD, ...failed, lastResult: undefined, resume: null };
    }
  }

  /** The same as `call`, at once; `callSync` asks it. */
  callSync<T>(operation: (attempt: Attempt) => T, options: CallOptions = {}): T {
    this.calls.push({ operation, options });
    const signal = options.signal ?? new AbortController().signal;
    return operation({ attempt: 1, remainingMs: null, signal, operation: options.operation });
  }
}

/** What a fake breaker answers when it is asked. */
export type FakeAdmission = "allow" | "reject" | "probe";

/** A breaker that answers as its script says, the last entry again and again. */
export class FakeCircuitBreaker implements Circuit<number> {
  /** How the calls that it admitted ended. */
  readonly results: CallResult[] = [];
  readonly #script: readonly FakeAdmission[];
  #asked = 0;

  /** A breaker with at least one answer; it admits every call by default. */
  constructor(script: readonly FakeAdmission[] = ["allow"]) {
    for (const [index, entry] of script.entries()) {
      if (["allow", "reject", "probe"].includes(entry)) continue;
      refuse(`FakeCircuitBreaker[${index}]`, entry, '"allow", "reject" or "probe"');
    }
    if (script.length === 0) refuse("FakeCircuitBreaker.length", 0, "at least one entry", 0, "is out of range");
    this.#script = [...script];
  }

  /** The state that its next answer stands for. */
  get state(): CircuitState {
    const next = this.#script[Math.min(this.#asked, this.#script.length - 1)];
    return next === "allow" ? "closed" : next === "probe" ? "half_open" : "open";
  }

  /** The next answer of its script. */
  admit(): Admission<number> {
    const entry = this.#script[Math.min(this.#asked, this.#script.length - 1)];
    this.#asked += 1;
    if (entry === "reject") return { ok: false, state: "open", retryAfterMs: 0 };
    return { ok: true, permit: this.#asked, halfOpened: entry === "probe" };
  }

  /** Remembers the result in `results`. */
  settle(_permit: number, result: CallResult): null {
    this.results.push(result);
    return null;
  }
}
