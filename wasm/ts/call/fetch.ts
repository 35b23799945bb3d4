// fetch behind a policy.

import { decorrelatedJitter, retryAfterOr } from "../backoff/builtin.js";
import { read } from "../classify/facts.js";
import { http } from "../classify/http.js";
import { isOptions, object, optionValue } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { Budget } from "../policy/budget.js";
import { isForeign } from "../policy/copies.js";
import type { KeyedPolicy } from "../policy/keyed.js";
import { Policy, type Runner } from "../policy/policy.js";
import type { Attempt, CallOptions, Outcome, PolicyLike } from "../types.js";
import { execute } from "./asynchronous.js";
import { checked } from "./hooks.js";
import { remember } from "./outcomes.js";

/** RFC 9110, section 9.2.2. @internal */
export const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

/** The options of `redressFetch`: those of every call, and what is special about requests. */
export interface FetchOptions extends CallOptions {
  /** Repeats requests of any method. Without it only idempotent ones, and those with an Idempotency-Key. */
  repeatAnyMethod?: boolean | undefined;
  /**
   * What `attemptTimeoutMs` and the deadline end: until the "headers" are there (the default), after which a body may
   * stream for as long as it does; or until the whole "body" is, which is then read within the attempt, kept in memory,
   * and asked for again if it breaks off.
   */
  timeoutCovers?: "headers" | "body" | undefined;
  /** A `fetch` of your own, such as that of a service binding; the global one by default, which is looked up for each request. */
  fetch?: Fetch | undefined;
}

/** The `fetch` of the runtime, by the types that the program has of it. */
export type Fetch = typeof globalThis extends { fetch: infer F }
  ? F
  : (input: string, init?: object) => Promise<unknown>;

type Input = Parameters<typeof fetch>[0];
type Init = Parameters<typeof fetch>[1];

/** What requests are made with. */
type FetchPolicy = PolicyLike | KeyedPolicy;

/**
 * `fetch` with retries. Without a policy it makes the recommended one: six attempts within a minute, Retry-After
 * followed, decorrelated jitter, and a budget of one retry for ten requests.
 *
 * A response of status 400 and up is a failure of its class, with its Retry-After, unless the policy has a
 * `resultClassifier` of its own. A request that may not be sent twice, by its method or because its body is a stream, is
 * sent once, through the breaker all the same, and costs the budget nothing. The unread response of a failed attempt is
 * cancelled before the next one. A `KeyedPolicy` is asked for the host of the URL, with its port: `api.example.com`,
 * `localhost:8080`. The operation in events is method and host, or the key; paths and queries may hold secrets.
 *
 * Resolves to the last response, whatever its status, as `fetch` does; rejects as `call` does, also where the caller
 * aborts while it waits for the next attempt.
 */
export function redressFetch(options?: FetchOptions): Fetch;
export function redressFetch(policy: FetchPolicy, options?: FetchOptions): Fetch;
export function redressFetch(first: FetchPolicy | FetchOptions = {}, second: FetchOptions = {}): Fetch {
  const hasPolicy = typeof read(first, "at") === "function" || typeof read(first, "execute") === "function";
  if (isForeign(first) || (!hasPolicy && !isOptions(first)))
    refuse("redressFetch", first, "a policy, or an object of options");
  const given = object("redressFetch", hasPolicy ? second : first) as FetchOptions;
  const { repeatAnyMethod, timeoutCovers, fetch: own, ...settings } = given;
  optionValue("redressFetch.repeatAnyMethod", repeatAnyMethod, "boolean");
  optionValue("redressFetch.fetch", own, "function");
  if (timeoutCovers !== undefined && timeoutCovers !== "headers" && timeoutCovers !== "body")
    refuse("redressFetch.timeoutCovers", timeoutCovers, '"headers" or "body"');
  checked("redressFetch", settings);
  const policy = hasPolicy ? (first as FetchPolicy) : recommended();
  const keyed = "at" in policy ? policy : undefined;
  return (async (input: Input, init?: Init): Promise<Response> => {
    const request = requestOf(input);
    const method = (init?.method ?? request?.method ?? "GET").toUpperCase();
    const url = new URL(request?.url ?? String(input), globalThis.location?.href);
    const isKeyed = hasHeader(init?.headers ?? request?.headers, "idempotency-key");
    const repeats = repeatAnyMethod || IDEMPOTENT.includes(method) || isKeyed;
    const once = !repeats || !replayable(init?.body);
    const call: CallOptions = { ...(keyed ? {} : { operation: `${method} ${url.host}` }), ...settings };
    // A signal of null is none, as for `fetch`.
    const signal = init?.signal === undefined ? request?.signal : init.signal;
    if (signal) call.signal = signal;
    let unread: Response | undefined;
    const operation = async (attempt: Attempt) => {
      // Not waited for: the other half of a response that was cloned may never be read.
      unread?.body?.cancel().catch(() => undefined);
      unread = undefined;
      // What is sent once needs no copy, which would keep the whole body in memory.
      const sent = request !== undefined && !once ? request.clone() : input;
      const send = (own ?? fetch) as typeof fetch;
      const response = await send(sent, { ...init, signal: attempt.signal as AbortSignal });
      unread = timeoutCovers === "body" ? await whole(response) : response;
      return unread;
    };
    const outcome = await executed(
      keyed === undefined ? (policy as Policy) : keyed.at(url.host),
      once,
      operation,
      call,
    );
    if (outcome.ok) return outcome.value;
    // Whoever aborts does not want an answer that came before.
    if (outcome.stopReason !== "ABORTED" && unread !== undefined && read(outcome, "lastResult") === unread)
      return unread;
    remember(outcome.error, outcome);
    throw outcome.error;
  }) as Fetch;
}

/** The policy for requests that name none. */
function recommended(): Policy {
  const strategy = retryAfterOr(decorrelatedJitter(), { atLeastMs: 250 });
  return new Policy({ retry: { strategy, budget: new Budget({ ratio: 0.1 }) } });
}

/** Runs a request by HTTP's classes, unless the policy has its own; `once` with a single attempt. */
function executed(
  runner: PolicyLike,
  once: boolean,
  operation: (attempt: Attempt) => Promise<Response>,
  options: CallOptions,
): Promise<Outcome<Response>> {
  // A policy of `redress/testing` has no setting: it answers by itself.
  const setting = read(runner, "setting") as Runner["setting"] | undefined;
  if (setting === undefined) return runner.execute(operation, options);
  const rules = once ? setting.rules.single : setting.rules;
  const bound = { ...setting, rules, resultClassifier: rules.resultClassifier ?? http };
  return execute({ setting: bound }, operation, options);
}

/** A request, of whichever realm; undefined for a URL. A copy that is made of one with a body would use that up. @internal */
export function requestOf(input: Input): Request | undefined {
  const request = input as Partial<Request>;
  const isRequest = typeof input === "object" && typeof request.clone === "function" && typeof request.url === "string";
  return isRequest ? (input as Request) : undefined;
}

/** Whether headers of any form have one. @internal */
export function hasHeader(headers: unknown, name: string): boolean {
  if (headers === undefined || headers === null) return false;
  const { has } = headers as Partial<Headers>;
  if (typeof has === "function") return has.call(headers, name);
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  return pairs.some(([key]) => String(key).toLowerCase() === name);
}

/** A response whose body is there. */
async function whole(response: Response): Promise<Response> {
  if (response.body === null) return response;
  const { status, statusText, headers, url } = response;
  const copy = new Response(await response.arrayBuffer(), { status, statusText, headers });
  // What a constructor cannot be told.
  Object.defineProperty(copy, "url", { value: url });
  return copy;
}

/** Whether its body can be sent again: what was taken out of a stream or an iterator is used up, and a `Request` is cloned. @internal */
export function replayable(body: unknown): boolean {
  return (
    !(typeof ReadableStream === "function" && body instanceof ReadableStream) && !(Symbol.asyncIterator in Object(body))
  );
}
