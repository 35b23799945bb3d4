// What can be watched, and by what, without the types of any library.

import { Budget, backoff, CircuitBreaker, Keyed, KeyedPolicy, Policy, RetryPolicy } from "redress";
import type { StatsdClient } from "redress/datadog";
import { type Logger, log } from "redress/log";
import { type CallWatch, type WatchedPolicy, type Watcher, watch } from "redress/watch";

const retry = { strategy: backoff.constant(1), budget: new Budget({ ratio: 0.1 }) };
declare const logger: Logger;
const own: Watcher = {
  watch: ({ upstream, circuits }: WatchedPolicy) => {
    const begin = (): CallWatch => ({ onEvent: ({ event }) => [upstream, event, circuits()] });
    return begin;
  },
};
/** The policy itself comes back, as what it is. */
export const policy: Policy = watch(new Policy({ retry }), [log(logger), own], { upstream: "orders" });
export const retrying: RetryPolicy = watch(new RetryPolicy(retry), []);
const circuitBreaker = new Keyed(CircuitBreaker, { capacity: 8 });
export const keyed: KeyedPolicy = watch(new KeyedPolicy({ circuitBreaker }), [own]);
// @ts-expect-error the operation is no option of what is watched
watch(policy, [own], { operation: "list" });
// @ts-expect-error a watcher alone is no array
watch(policy, own);
// @ts-expect-error there is no such level
log(logger, { level: "fatal" });
// @ts-expect-error a client of DogStatsD has gauges, too
export const client: StatsdClient = { increment() {}, histogram() {} };
