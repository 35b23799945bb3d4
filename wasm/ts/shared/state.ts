// A state that is in a store: read, decided on by the core, and written back if nothing else was written meanwhile.

import { NULLABLE, number, object, optionValue } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { restore, snapshot } from "../durable/snapshot.js";
import type { CircuitBreaker } from "../policy/breaker.js";
import type { Budget } from "../policy/budget.js";
import type { Clock } from "../types.js";
import { type Moment, read, type Store, type Stored, written } from "./store.js";

/** What shared state needs besides the settings of what is shared. */
export interface SharedOptions {
  /** The name of the state in the store: one for each upstream. What belongs to the settings is added to it, so that other settings have a state of their own. */
  key: string;
  /** A store that cannot be reached: decide by what this process knew last (the default), or reject. */
  whenUnreachable?: "local" | "reject" | undefined;
  /** After this the store counts as unreachable, in milliseconds, 1 and up; 1,000 by default, null for no limit. */
  timeoutMs?: number | null | undefined;
  /** Called with the reason when the store could not be reached; its own errors change nothing. */
  onUnreachable?: ((error: unknown) => unknown) | undefined;
  /** Called when other processes wrote first five times: the call is rejected, the retry is not made, or the result does not count. Its own errors change nothing. */
  onConflict?: (() => unknown) | undefined;
}

/** What is asked of a state. */
export interface Question<A> {
  /** Decides on the state, which is that of the moment. */
  decide(moment: Moment): A;
  /** Gives back what the decision took in the core. */
  release?(): void;
  /** The answer if the state cannot be written, or the store cannot be reached and calls are rejected then. */
  readonly otherwise: A;
}

interface Waiting {
  readonly question: Question<any>;
  answer: unknown;
  resolve(answer: any): void;
  reject(error: unknown): void;
}

/** How often a state is read before other processes have won. */
const ATTEMPTS = 5;
const KINDS = { breaker: "circuit_breaker", budget: "budget" } as const;

/** The options of sharing, and those of what is shared. */
export function parted<S extends object>(path: string, given: S): [SharedOptions, Omit<S, keyof SharedOptions>] {
  const { key, whenUnreachable, timeoutMs, onUnreachable, onConflict, ...own } = object(path, given) as S &
    SharedOptions;
  if ("clock" in own) refuse(`${path}.clock`, own.clock, "an option here: it is the store's time that counts");
  return [{ key, whenUnreachable, timeoutMs, onUnreachable, onConflict }, own];
}

/**
 * One state in a store. At most one exchange with the store is in flight: what is asked meanwhile waits, and is decided
 * together, with one reading and at most one writing.
 */
export class SharedState<S extends CircuitBreaker | Budget> {
  /** The core's state, which has the moment of a question while that is decided. */
  readonly scratch: S;
  readonly #store: Store;
  readonly #key: string;
  readonly #kind: (typeof KINDS)[keyof typeof KINDS];
  readonly #fresh: string;
  readonly #rejects: boolean;
  readonly #timeoutMs: number;
  readonly #onUnreachable: ((error: unknown) => unknown) | undefined;
  readonly #onConflict: (() => unknown) | undefined;
  #us = 0;
  #waiting: Waiting[] = [];
  #isRunning = false;
  /** What the store had last, and when that was by this process. */
  #known: { stored: Stored; ms: number };

  constructor(path: string, store: Store, kind: keyof typeof KINDS, given: SharedOptions, make: (clock: Clock) => S) {
    if (typeof given.key !== "string" || given.key === "")
      refuse(`${path}.key`, given.key, "a string that is not empty");
    const when: unknown = given.whenUnreachable ?? "local";
    if (when !== "local" && when !== "reject") refuse(`${path}.whenUnreachable`, when, '"local" or "reject"');
    this.#rejects = when === "reject";
    this.#timeoutMs = number(`${path}.timeoutMs`, given.timeoutMs, [1_000, NULLABLE, 1, 2 ** 31 - 1]);
    this.#onUnreachable = optionValue(`${path}.onUnreachable`, given.onUnreachable, "function");
    this.#onConflict = optionValue(`${path}.onConflict`, given.onConflict, "function");
    this.#store = store;
    this.#kind = KINDS[kind];
    this.scratch = make(() => this.#us / 1_000);
    this.#fresh = snapshot(this.scratch).data;
    // It begins with what it is of, the version of its form, and the fingerprint of the settings: six bytes.
    this.#key = `${given.key}:${this.#fresh.slice(0, 12)}`;
    this.#known = { stored: { version: "", value: "", nowUs: Date.now() * 1_000 }, ms: performance.now() };
  }

  /** Asks the state in the store. */
  ask<A>(question: Question<A>): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, answer: question.otherwise, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  /** Sets the state and the time to those of a moment. */
  set({ data, us }: Moment): void {
    this.#us = us;
    restore(this.scratch, { kind: this.#kind, version: 1, data });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting;
      this.#waiting = [];
      try {
        await this.#answer(asked);
        for (const { answer, resolve } of asked) resolve(answer);
      } catch (error) {
        // The core has no memory left.
        for (const { reject } of asked) reject(error);
      }
    }
    this.#isRunning = false;
  }

  async #answer(asked: readonly Waiting[]): Promise<void> {
    try {
      await this.#inTime((isLate) => this.#exchange(asked, isLate));
    } catch (error) {
      told(() => this.#onUnreachable?.(error));
      for (const one of asked) one.answer = one.question.otherwise;
      if (this.#rejects) return;
      const { stored, ms } = this.#known;
      const nowUs = stored.nowUs + Math.max(0, Math.round((performance.now() - ms) * 1_000));
      const { value = stored.value } = this.#decide(asked, { ...stored, nowUs });
      this.#know({ ...stored, value, nowUs });
    }
  }

  async #exchange(asked: readonly Waiting[], isLate: () => boolean): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const stored = await this.#store.read(this.#key);
      // Others wait for these questions no more.
      if (isLate()) return;
      this.#know(stored);
      const { value } = this.#decide(asked, stored);
      if (value === undefined) return;
      const next = crypto.randomUUID();
      const isWritten = await this.#store.write(this.#key, stored.version, next, value);
      if (isLate()) return;
      if (isWritten) return this.#know({ ...stored, version: next, value });
      if (attempt === ATTEMPTS) {
        this.#decide(asked, stored, false);
        told(() => this.#onConflict?.());
        return;
      }
    }
  }

  #know(stored: Stored): void {
    this.#known = { stored, ms: performance.now() };
  }

  /**
   * Decides on what is stored; the new value, undefined if nothing has changed. Where it cannot be written, what would
   * change the state is answered otherwise.
   */
  #decide(asked: readonly Waiting[], { value, nowUs }: Stored, isWritable = true): { value?: string } {
    const stored = read(value);
    // Time goes on from where it was, also if another server with an earlier clock has taken over.
    const us = Math.max(nowUs + (stored?.steppedBackUs ?? 0), stored?.us ?? 0);
    const steppedBackUs = us - nowUs;
    const begun = this.#begun(stored, us);
    let data = begun;
    for (const one of asked) {
      this.set({ data, us });
      one.answer = one.question.decide({ data, us });
      const after = snapshot(this.scratch).data;
      one.question.release?.();
      if (isWritable) data = after;
      else if (after !== data) one.answer = one.question.otherwise;
    }
    const isSame = data === begun && steppedBackUs === (stored?.steppedBackUs ?? 0);
    return isSame ? {} : { value: written({ data, us }, steppedBackUs) };
  }

  /** What is stored, as it is now. */
  #begun(stored: Moment | undefined, us: number): string {
    try {
      this.set(stored ?? { data: this.#fresh, us });
    } catch {
      // It is damaged: a state that is no state begins anew.
      this.set({ data: this.#fresh, us });
    }
    this.#us = us;
    return snapshot(this.scratch).data;
  }

  async #inTime(exchange: (isLate: () => boolean) => Promise<void>): Promise<void> {
    const ms = this.#timeoutMs;
    if (Number.isNaN(ms)) return exchange(() => false);
    let isLate = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        isLate = true;
        reject(new DOMException(`${this.#key}: the store did not answer within ${ms} ms`, "TimeoutError"));
      }, ms);
    });
    try {
      await Promise.race([exchange(() => isLate), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Runs a hook, whose errors change nothing. */
function told(hook: () => unknown): void {
  try {
    hook();
  } catch {
    // What a hook throws changes nothing.
  }
}
