// Durable handles take the options of what they are handles of, and stand where those stand.

import { backoff, Policy } from "redress";
import { DurableBudget, DurableCircuitBreaker, type Latency, type Namespace, RedressState } from "redress/durable";

declare const namespace: Namespace;
const breaker = new DurableCircuitBreaker(namespace, {
  name: "api",
  failureThreshold: 3,
  timeoutMs: null,
  whenUnreachable: "reject",
});
const rolling = new DurableBudget(namespace, { name: "api", maxRetries: 3 });
const ratio = new DurableBudget(namespace, { name: "api", ratio: 0.1, initial: 0, floorPerSec: 1, timeoutMs: 250 });
export const policies = [rolling, ratio].map((budget) => {
  return new Policy({ circuitBreaker: breaker, retry: { strategy: backoff.constant(1), budget } });
});
export const latency: Latency = breaker.latency;
export const lost: number = ratio.latency.unreachable;
export class Later extends RedressState {
  override now(): number {
    return super.now() + 1;
  }
}
// @ts-expect-error the object's clock counts
new DurableCircuitBreaker(namespace, { name: "api", clock: () => 1 });
// @ts-expect-error a budget is one or the other
new DurableBudget(namespace, { name: "api" });
// @ts-expect-error there is no such way
new DurableBudget(namespace, { name: "api", ratio: 0.1, whenUnreachable: "wait" });
