// What the clients share whose requests go through a policy: which requests are sent once, how a call is named, the time
// that it has, and what each attempt tells the server.

import { call, execute } from "../call/asynchronous.js";
import type { Setting } from "../call/codes.js";
import { hasHeader, IDEMPOTENT, replayable } from "../call/fetch.js";
import { checked } from "../call/hooks.js";
import { remember } from "../call/outcomes.js";
import { byDefault } from "../classify/default.js";
import { BRAND, read } from "../classify/facts.js";
import { http } from "../classify/http.js";
import { object, optionValue } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { isForeign } from "../policy/copies.js";
import type { KeyedPolicy } from "../policy/keyed.js";
import type { Runner } from "../policy/policy.js";
import { CHECKS, type RetryOptions } from "../policy/retry-options.js";
import type { Attempt, CallOptions, Classification, Outcome, PolicyLike, Signal } from "../types.js";
import { around } from "../watch/around.js";

/** The headers that a client of ours sends, and a server of ours reads. */
export const DEADLINE = "x-request-deadline";
export const ATTEMPT = "x-request-attempt";
export const KEY = "idempotency-key";

/** What a client calls through. */
export type ClientPolicy = PolicyLike | KeyedPolicy;

/** The options of a client: those of every call, and what is special about requests. */
export interface ClientOptions extends CallOptions {
  /**
   * Repeats requests of any method. Without it only idempotent ones are repeated, by RFC 9110, and those with an
   * Idempotency-Key; another one is sent once, through the breaker all the same, and costs the budget nothing.
   */
  repeatAnyMethod?: boolean | undefined;
  /**
   * Gives a request that is not idempotent and has no Idempotency-Key one, which is the same in each attempt, so that it is
   * repeated: `true` for a random UUID, or a function that makes it. The server must know such keys.
   */
  idempotencyKey?: boolean | (() => string) | undefined;
  /**
   * Sends the number of the attempt, from 1, as `x-request-attempt`. True by default, but not in a page or a worker of one:
   * another origin would have to allow the header.
   */
  attemptHeader?: boolean | undefined;
  /**
   * Sends how many whole milliseconds are left of the call, or of the attempt if that is less, as `x-request-deadline`.
   * Defaults as `attemptHeader` does.
   */
  deadlineHeader?: boolean | undefined;
}

/** A request as its client has it. */
export interface Sent {
  /** How the call is named by default. */
  readonly operation: string;
  /** By what a policy by key is asked. */
  readonly host: string;
  /** Whether it may be sent twice by its method. */
  readonly isIdempotent: boolean;
  /** Whether it is given a key if one is wanted. */
  readonly takesKey: boolean;
  /** Whether it can be sent twice. */
  readonly isReplayable: boolean;
  /** Whether it has a header of this name, in lower case. */
  readonly has: (name: string) => boolean;
  /** The options of this call alone. */
  readonly own?: CallOptions | undefined;
  /** The client's signal. */
  readonly signal?: Signal | null | undefined;
  /** How long its caller waits, in milliseconds. */
  readonly leftMs?: number | undefined;
}

/** A request of HTTP. */
export function sentByHttp(
  method: string,
  host: string,
  body: unknown,
  has: Sent["has"],
): Omit<Sent, "own" | "signal" | "leftMs"> {
  const isIdempotent = IDEMPOTENT.includes(method);
  return {
    operation: `${method} ${host}`,
    host,
    isIdempotent,
    takesKey: !isIdempotent,
    // A stream of Node's old kind cannot be iterated.
    isReplayable: replayable(body) && typeof read(body, "pipe") !== "function",
    has,
  };
}

/** Whether headers in any of their forms have one. */
export const hasIn =
  (headers: unknown): Sent["has"] =>
  (name) =>
    hasHeader(headers, name);

/** Whether headers of its own may be sent: in a page another origin would have to allow them. */
const isInPage = (): boolean => read(globalThis, "location") !== undefined;

/** A client's policy with its options. */
export class Caller {
  readonly #policy: ClientPolicy;
  readonly #settings: CallOptions;
  readonly #repeatsAny: boolean;
  readonly #makeKey: (() => string) | undefined;
  readonly #headers: readonly string[];
  /** By the policy: what a whole call may take, and an attempt; NaN without a limit. */
  readonly #deadlineMs: number;
  readonly #attemptMs: number;

  /** Checks both; `path` names the client in errors. */
  constructor(path: string, policy: unknown, given: unknown) {
    const isPolicy = typeof read(policy, "at") === "function" || typeof read(policy, "call") === "function";
    if (isForeign(policy) || !isPolicy) refuse(`${path}.policy`, policy, "a policy");
    const { repeatAnyMethod, idempotencyKey, attemptHeader, deadlineHeader, ...settings } = object(path, given);
    for (const [name, value] of Object.entries({ repeatAnyMethod, attemptHeader, deadlineHeader }))
      optionValue(`${path}.${name}`, value, "boolean");
    if (typeof idempotencyKey !== "function") optionValue(`${path}.idempotencyKey`, idempotencyKey, "boolean");
    checked(path, settings);
    this.#policy = policy as ClientPolicy;
    this.#settings = settings;
    this.#repeatsAny = repeatAnyMethod === true;
    this.#makeKey = idempotencyKey === true ? () => crypto.randomUUID() : idempotencyKey || undefined;
    const sends: [string, boolean | undefined][] = [
      [ATTEMPT, attemptHeader],
      [DEADLINE, deadlineHeader],
    ];
    this.#headers = sends.filter(([, isWanted]) => isWanted ?? !isInPage()).map(([name]) => name);
    const { template } = policy as Partial<KeyedPolicy>;
    const config = read(read(template ?? policy, "retry"), "config") as RetryOptions | undefined;
    const limit = (name: "deadlineMs" | "attemptTimeoutMs") =>
      config === undefined ? NaN : optionValue(name, config[name], CHECKS[name]!);
    this.#deadlineMs = limit("deadlineMs");
    this.#attemptMs = limit("attemptTimeoutMs");
  }

  /** The call of one request. */
  plan(sent: Sent): Plan {
    const { own, leftMs } = sent;
    const keyed = "at" in this.#policy ? this.#policy : undefined;
    const hasKey = sent.has(KEY);
    const key = sent.takesKey && !hasKey ? this.#makeKey?.() : undefined;
    const repeats = this.#repeatsAny || sent.isIdempotent || hasKey || key !== undefined;
    const signals = [this.#settings.signal, own?.signal, sent.signal].filter((signal) => signal);
    const options: CallOptions = { ...(keyed ? {} : { operation: sent.operation }), ...this.#settings, ...own };
    if (signals.length > 0)
      options.signal = signals.length === 1 ? signals[0] : AbortSignal.any(signals as AbortSignal[]);
    // A shorter one than the policy's, of this call or of its caller; else the policy's is left to it.
    const { deadlineMs: said } = this.#settings;
    const usual = said === undefined ? this.#deadlineMs : (said ?? NaN);
    const asked = Math.min(own?.deadlineMs ?? Infinity, leftMs ?? Infinity);
    options.deadlineMs = asked < (Number.isNaN(usual) ? Infinity : usual) ? asked : said;
    const runner = keyed === undefined ? (this.#policy as PolicyLike) : keyed.at(sent.host);
    const headers = this.#headers.filter((name) => !sent.has(name));
    return new Plan(runner, repeats && sent.isReplayable, options, { key, headers, attemptMs: this.#attemptMs });
  }
}

/** What its attempts tell the server. */
interface Telling {
  readonly key: string | undefined;
  readonly headers: readonly string[];
  readonly attemptMs: number;
}

/** A call that is about to begin. */
export class Plan {
  readonly #runner: PolicyLike;
  readonly #telling: Telling;
  /** By what it runs; undefined for a policy of `redress/testing`, which answers by itself. */
  readonly setting: Setting | undefined;
  readonly options: CallOptions;
  /** Whether one attempt is all. */
  readonly isOnce: boolean;

  constructor(runner: PolicyLike, repeats: boolean, options: CallOptions, telling: Telling) {
    this.isOnce = !repeats;
    this.#runner = runner;
    this.#telling = telling;
    this.options = options;
    const setting = read(runner, "setting") as Runner["setting"] | undefined;
    this.setting = setting && { ...setting, rules: repeats ? setting.rules : setting.rules.single };
  }

  /** The key that was made for it. */
  get key(): string | undefined {
    return this.#telling.key;
  }

  /** Runs a client whose failures are errors. */
  call<T>(operation: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { setting, options } = this;
    if (setting === undefined) return this.#runner.call(operation, options);
    return call({ setting }, around(setting, operation), options);
  }

  /** Runs a client whose failures are responses, by HTTP's classes unless the policy has its own. */
  async execute<T>(operation: (attempt: Attempt) => Promise<T>): Promise<Outcome<T>> {
    const { setting, options } = this;
    if (setting === undefined) return this.#runner.execute(operation, options) as Promise<Outcome<T>>;
    const bound = { ...setting, resultClassifier: setting.rules.resultClassifier ?? http };
    const outcome = await execute({ setting: bound }, around(setting, operation), options);
    if (!outcome.ok) remember(outcome.error, outcome);
    return outcome;
  }

  /** How long an attempt may take from its start, in milliseconds; null without a limit. */
  leftMs({ remainingMs }: Pick<Attempt, "remainingMs">): number | null {
    const limit = Math.min(remainingMs ?? Infinity, this.#telling.attemptMs || Infinity);
    return limit === Infinity ? null : limit;
  }

  /** The headers of an attempt besides those of the request. */
  headers(attempt: Pick<Attempt, "attempt" | "remainingMs">): Record<string, string> {
    const { key, headers } = this.#telling;
    const left = this.leftMs(attempt);
    const found: Record<string, string> = {};
    if (key !== undefined) found[KEY] = key;
    if (headers.includes(ATTEMPT)) found[ATTEMPT] = String(attempt.attempt);
    if (headers.includes(DEADLINE) && left !== null) found[DEADLINE] = String(Math.floor(left));
    return found;
  }

  /** An error that says its class and its hint as `classify` finds them, if the policy has no classifier of its own. */
  marked(error: unknown, classify: (error: unknown) => Classification | null): unknown {
    const isLeft = this.setting?.rules.classifier !== byDefault || read(error, BRAND) !== undefined;
    if (isLeft || typeof error !== "object" || error === null || !Object.isExtensible(error)) return error;
    const found = classify(error);
    if (found === null || found.class === "UNKNOWN") return error;
    const { retryAfterMs } = found;
    Object.defineProperty(error, BRAND, { value: found.class, configurable: true });
    if (retryAfterMs !== undefined)
      Object.defineProperty(error, "retryAfterMs", { value: retryAfterMs, configurable: true });
    return error;
  }
}
