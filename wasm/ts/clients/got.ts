// got behind a policy: got makes the attempts and waits, and its hooks ask the policy, step by step, what follows.

import type { Got, NormalizedOptions, RequestError, RetryFunction } from "got";
import { remember } from "../call/outcomes.js";
import { begin, type Call } from "../call/steps.js";
import { read } from "../classify/facts.js";
import { http } from "../classify/http.js";
import { refuse } from "../config/issues.js";
import { AttemptTimeoutError } from "../errors.js";
import type { Runner } from "../policy/policy.js";
import type { CallOptions, Signal } from "../types.js";
import { Caller, type ClientOptions, type ClientPolicy, hasIn, type Plan, sentByHttp } from "./caller.js";
import { refusePeer } from "./peer.js";

/** As long as a timer of Node waits. */
const LONGEST_MS = 2 ** 31 - 1;
/** Where the options of a request have its call. */
const CALL: unique symbol = Symbol("redress");

/**
 * An instance of got like this one whose requests go through a policy. Its retries are those of the policy, whatever
 * `retry` says, and each attempt has the policy's time, or that of `timeout.request` if it is shorter. Streams (`got.stream`) go on as they are.
 *
 * A status that got makes an error of is a failure of its class, with its Retry-After. The operation in events is method and
 * host. Options of one call are `redress` of its context: `client(url, { context: { redress: { deadlineMs } } })`. A breaker and a
 * budget of your own must answer at once, and a `sleeper` is not asked.
 */
export function withPolicy<G extends Got>(client: G, policy: ClientPolicy, options: ClientOptions = {}): G {
  if (typeof client !== "function" || typeof client.extend !== "function")
    refusePeer("got.client", client, "an instance", "got", "14 and up");
  const caller = new Caller("got", policy, options);
  // A fake of `redress/testing` has no steps.
  if (read(policy, "setting") === undefined && read(policy, "at") === undefined)
    refuse("got.policy", policy, "a policy that can be walked step by step");
  const calculateDelay: RetryFunction = ({ error, computedValue }) => {
    const steps = stepsOf(error.options);
    return steps === undefined ? computedValue : steps.failed(error, computedValue);
  };
  // Else got asks only about failures that it would repeat itself.
  const retry = { calculateDelay, enforceRetryRules: false };
  const extended = client.extend({
    retry,
    handlers: [
      (given, next) => {
        if (given.isStream) return next(given);
        // A request's own would be asked in place of the policy.
        given.retry = { ...given.retry, ...retry };
        const steps = new Steps(caller);
        given.context = { ...given.context, [CALL]: steps };
        const result = next(given) as Promise<unknown>;
        result.then(
          (value) => steps.succeeded(value),
          (error) => steps.ended(error),
        );
        return result as ReturnType<typeof next>;
      },
    ],
    hooks: {
      beforeRequest: [(given) => stepsOf(given)?.attempt(given)],
      beforeError: [(error) => stepsOf(error.options)?.thrown(error) ?? error],
    },
  });
  return extended as G;
}

function stepsOf(options: unknown): Steps | undefined {
  return read(read(options, "context"), CALL) as Steps | undefined;
}

/** The steps of one call, as got takes them. */
class Steps {
  readonly #caller: Caller;
  #plan: Plan | undefined;
  #call: Call | undefined;
  #isUnderWay = false;
  /** How long an attempt may take for got itself, and for the policy. */
  #ownMs: number | undefined;
  #limitMs = Infinity;
  /** What ended the call before an attempt. */
  #thrown: Error | undefined;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** An attempt begins; so does got for a redirect, and for what a hook wants anew, which are of the same attempt. */
  attempt(given: NormalizedOptions): void {
    if (this.#isUnderWay) return;
    const plan = (this.#plan ??= this.#planOf(given));
    try {
      if (this.#call === undefined) this.#call = begin({ setting: plan.setting } as Runner, plan.options);
      else this.#call.onWake();
      const started = this.#call.start();
      this.#isUnderWay = true;
      this.#limitMs = started.timeoutMs ?? Infinity;
      Object.assign(given.headers, plan.headers(started));
    } catch (error) {
      this.#thrown = error as Error;
      throw error;
    }
    const request = Math.min(this.#ownMs ?? Infinity, this.#limitMs);
    // 0 would be no time for got.
    if (request !== Infinity) given.timeout = { ...given.timeout, request: Math.max(Math.ceil(request), 1) };
  }

  #planOf(given: NormalizedOptions): Plan {
    const { method, url, body, headers, timeout, signal, context } = given;
    this.#ownMs = timeout.request;
    const { host } = new URL(String(url));
    return this.#caller.plan({
      ...sentByHttp(method.toUpperCase(), host, body, hasIn(headers)),
      own: read(context, "redress") as CallOptions | undefined,
      signal: signal as Signal | undefined,
    });
  }

  /** An attempt failed: after how long got makes the next one, 0 for none. */
  failed(error: RequestError, usual: number): number {
    const call = this.#call;
    // An error of a hook, or of the policy; and a hook of got that wants the request anew.
    if (call === undefined || call.outcome !== undefined || !this.#isUnderWay) return 0;
    if (error.code === "ERR_RETRYING") return usual;
    this.#isUnderWay = false;
    const isOurs =
      error.code === "ETIMEDOUT" && read(error, "event") === "request" && this.#limitMs <= (this.#ownMs ?? Infinity);
    const decision = isOurs
      ? call.timedOut(new AttemptTimeoutError(this.#limitMs))
      : call.fail(this.#plan!.marked(error, http));
    if (decision.retry && decision.sleepMs <= LONGEST_MS) return Math.max(decision.sleepMs, 0.001);
    const outcome = decision.retry ? call.abort() : decision.outcome;
    remember(error, outcome);
    return 0;
  }

  /** The error for the caller: what the policy threw, where got has put an error of its own around it. */
  thrown(error: RequestError): Error {
    const { cause } = error;
    return cause !== undefined && cause === this.#thrown ? (cause as Error) : error;
  }

  succeeded(value: unknown): void {
    if (this.#isUnderWay && this.#call?.outcome === undefined) this.#call?.succeed(value);
  }

  /** got has ended without asking: the caller aborted, or cancelled. */
  ended(error: unknown): void {
    if (this.#call !== undefined && this.#call.outcome === undefined) this.#call.abort(error);
  }
}
