// ky behind a policy: the `fetch` of an instance, with hooks for its errors.

import type { Input, KyInstance, Options } from "ky";
import { requestOf } from "../call/fetch.js";
import { outcomeOf, remember } from "../call/outcomes.js";
import { read } from "../classify/facts.js";
import type { Attempt, CallOptions, Outcome, Signal } from "../types.js";
import { Caller, type ClientOptions, type ClientPolicy, hasIn, sentByHttp } from "./caller.js";
import { refusePeer } from "./peer.js";

declare module "ky" {
  interface Options {
    /** Options of this call alone, for a client of `redress/ky`; a deadline in place of a longer one of the policy. */
    redress?: CallOptions | undefined;
  }
}

type Fetch = (input: Input, init?: object) => Promise<Response>;

/**
 * An instance of ky like this one whose requests go through a policy. The policy retries, so that ky's own `retry` is off
 * and refused, and the policy has the times, so that its `timeout` is off. Hooks run once for a call, around all of its attempts.
 *
 * A response of status 400 and up is a failure of its class, with its Retry-After, unless the policy has a
 * `resultClassifier` of its own; ky makes an HTTPError of the last one. An attempt ends with the headers. The operation in events
 * is method and host. Options of one call are `redress` of its own, which ky hands on: `api.get(url, { redress: { deadlineMs } })`.
 */
export function withPolicy<K extends KyInstance>(client: K, policy: ClientPolicy, options: ClientOptions = {}): K {
  if (typeof client !== "function" || typeof client.extend !== "function")
    refusePeer("ky.client", client, "an instance", "ky", "2");
  const caller = new Caller("ky", policy, options);
  /** How the calls ended whose last response is a failure. */
  const failed = new WeakMap<object, Outcome<Response>>();
  const extended = client.extend((parent: Options) => ({
    retry: { limit: 0 },
    timeout: false,
    fetch: sending(caller, parent.fetch as Fetch | undefined, failed) as NonNullable<Options["fetch"]>,
    hooks: {
      beforeRequest: [
        ({ options: { retry } }) => {
          if ((read(retry, "limit") as number) > 0)
            throw new TypeError(
              "redress/ky: the policy retries, and ky's own `retry` would multiply that: leave it out",
            );
        },
      ],
      beforeError: [
        ({ error }) => {
          const outcome = failed.get(read(error, "response") as object) ?? outcomeOf(read(error, "cause"));
          if (outcome !== undefined) remember(error, outcome);
          return error;
        },
      ],
    },
  }));
  return extended as K;
}

function sending(caller: Caller, own: Fetch | undefined, failed: WeakMap<object, Outcome<Response>>): Fetch {
  return async (input, given = {}) => {
    const { redress, ...init } = given as { redress?: CallOptions };
    const request = requestOf(input as Request) as Request;
    const { host } = new URL(request.url);
    const plan = caller.plan({
      // A request's own body can be copied.
      ...sentByHttp(request.method, host, undefined, hasIn(request.headers)),
      own: redress,
      signal: request.signal as Signal,
    });
    let unread: Response | undefined;
    const outcome = await plan.execute(async (attempt: Attempt) => {
      unread?.body?.cancel().catch(() => undefined);
      unread = undefined;
      const sent = plan.isOnce ? request : request.clone();
      for (const [name, value] of Object.entries(plan.headers(attempt))) sent.headers.set(name, value);
      unread = await (own ?? fetch)(sent, { ...init, signal: attempt.signal });
      return unread;
    });
    if (outcome.ok) return outcome.value;
    if (outcome.stopReason !== "ABORTED" && unread !== undefined && read(outcome, "lastResult") === unread) {
      failed.set(unread, outcome);
      return unread;
    }
    throw outcome.error;
  };
}
