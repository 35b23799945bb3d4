// fetch behind a policy.

import { read } from "../classify/facts.js";
import { refuse } from "../config/issues.js";
import { object, optionValue } from "../config/options.js";
import type { KeyedPolicy } from "../policy/keyed.js";
import type { Policy, Retry, RetryPolicy } from "../policy/policy.js";
import type { CallOptions } from "../types.js";
import { checked } from "./hooks.js";

/** RFC 9110, section 9.2.2. */
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

/** The options of `redressFetch`: those of every call, and whether any request is repeated. */
export interface FetchOptions extends CallOptions {
  /** Repeats requests of any method. Without it only idempotent ones, and those with an Idempotency-Key. */
  repeatAnyMethod?: boolean | undefined;
}

/** The `fetch` of the runtime, by the types that the program has of it. */
export type Fetch = typeof globalThis extends { fetch: infer F }
  ? F
  : (input: string, init?: object) => Promise<unknown>;

type Input = Parameters<typeof fetch>[0];
type Init = Parameters<typeof fetch>[1];

/**
 * `fetch` behind a policy whose `resultClassifier` is `classify.http`: a response of status 400 and up is a failure of
 * its class, with its Retry-After. A request that may not be sent twice, by its method or because its body is a stream, is
 * sent once, through the breaker all the same. The unread response of a failed attempt is cancelled before the next one.
 * A `KeyedPolicy` is asked for the host of the URL, with its port: `api.example.com`, `localhost:8080`.
 *
 * Resolves to the last response, whatever its status, as `fetch` does; rejects as `call` does.
 */
export function redressFetch(policy: Policy | Retry | RetryPolicy | KeyedPolicy, options: FetchOptions = {}): Fetch {
  const { repeatAnyMethod, ...settings } = object("redressFetch", options) as FetchOptions;
  optionValue("redressFetch.repeatAnyMethod", repeatAnyMethod, "boolean");
  checked("redressFetch", settings);
  const keyed = typeof (policy as Partial<KeyedPolicy> | null)?.at === "function" ? (policy as KeyedPolicy) : undefined;
  if (keyed === undefined && typeof (policy as Partial<Policy> | null)?.execute !== "function") {
    refuse("redressFetch", policy, "a policy");
  }
  return (async (input: Input, init?: Init): Promise<Response> => {
    // A Request that is made of another one with a body would use that up.
    const asked = input instanceof Request ? input : undefined;
    const method = (init?.method ?? asked?.method ?? "GET").toUpperCase();
    const headers = new Headers(init?.headers ?? asked?.headers);
    const url = new URL(asked?.url ?? String(input), globalThis.location?.href);
    const repeats = repeatAnyMethod || IDEMPOTENT.includes(method) || headers.has("idempotency-key");
    const once = !repeats || !replayable(init?.body);
    const signal = init?.signal ?? asked?.signal;
    let unread: Response | undefined;
    const call: CallOptions = { operation: `${method} ${url.host}${url.pathname}`, ...settings };
    if (signal !== undefined && signal !== null) call.signal = signal;
    // Put off for good, so that the failure of what is not repeated counts for the breaker.
    if (once) call.sleep = () => "defer";
    const runner = keyed === undefined ? (policy as Policy) : keyed.at(url.host);
    const outcome = await runner.execute(async (attempt) => {
      await unread?.body?.cancel().catch(() => undefined);
      unread = undefined;
      // What is sent once needs no copy, which would keep the whole body in memory.
      const sent = asked !== undefined && !once ? asked.clone() : input;
      unread = await fetch(sent, { ...init, signal: attempt.signal as AbortSignal });
      return unread;
    }, call);
    if (outcome.ok) return outcome.value as Response;
    const last = read(outcome, "lastResult");
    if (last !== undefined && last !== null && last === unread) return last as Response;
    throw outcome.error;
  }) as Fetch;
}

/** Whether its body can be sent again: what was taken out of a stream or an iterator is gone, and a `Request` is cloned. */
function replayable(body: unknown): boolean {
  return !(body instanceof ReadableStream) && !(Symbol.asyncIterator in Object(body));
}
