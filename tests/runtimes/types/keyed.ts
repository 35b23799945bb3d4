// Keyed state keeps its kind, and the step form its value.

import {
  Budget,
  backoff,
  begin,
  type Call,
  CircuitBreaker,
  type Decision,
  Keyed,
  KeyedPolicy,
  Policy,
  redressFetch,
} from "redress";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_T extends true>(): void {}

const breakers = new Keyed(CircuitBreaker, { capacity: 64, failureThreshold: 3 });
const budgets = new Keyed(Budget, { capacity: 64, ratio: 0.1 });
const entry = breakers.entry("api.example.com");
holds<Equal<typeof entry, CircuitBreaker | undefined>>();
const budget = budgets.peek("api.example.com");
holds<Equal<typeof budget, Budget | undefined>>();
// @ts-expect-error a capacity is needed
new Keyed(CircuitBreaker, { failureThreshold: 3 });
// @ts-expect-error a breaker has no ratio
new Keyed(CircuitBreaker, { capacity: 1, ratio: 0.1 });
// @ts-expect-error a policy is no entry
new Keyed(Policy, { capacity: 1 });

const policy = new KeyedPolicy({ circuitBreaker: breakers, retry: { strategy: backoff.constant(1), budget: budgets } });
const value: Promise<number> = policy.at("api.example.com").call(async () => 7);
// @ts-expect-error a budget is no breaker
new KeyedPolicy({ circuitBreaker: budgets });
// @ts-expect-error without a key there is no call
void policy.call;
const get: unknown = redressFetch(policy, { repeatAnyMethod: true });

export function loop(): number {
  const call: Call<number> = begin<number>(policy.at("api.example.com"), { operation: "read" });
  const { attempt, remainingMs, timeoutMs } = call.start();
  const limits: readonly (number | null)[] = [attempt, remainingMs, timeoutMs];
  if (limits.length > 3) return call.succeed(7).value;
  const decision: Decision<number> = call.fail(new Error("no"));
  if (decision.retry) return decision.sleepMs;
  // @ts-expect-error what is over has no delay
  void decision.sleepMs;
  holds<Equal<typeof decision.outcome.ok, false>>();
  // @ts-expect-error no class is called so
  call.failByValue(7, "TRANSIENTS");
  return decision.outcome.attempts;
}
export { get, value };
