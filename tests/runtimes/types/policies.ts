// What takes a policy takes a fake of it, and classifiers of results know what operations return.

import {
  backoff,
  CircuitBreaker,
  classify,
  context,
  Keyed,
  KeyedPolicy,
  Policy,
  type PolicyLike,
  RetryPolicy,
  redressFetch,
  retry,
} from "redress";
import { FakePolicy, RecordingPolicy } from "redress/testing";

const strategy = backoff.constant(1);

/** A program's own function, which its tests call with a fake. */
async function read(policy: PolicyLike): Promise<number> {
  const { ok } = await policy.execute(async () => "value");
  return policy.call(({ attempt }) => (ok ? attempt : 0), { operation: "read" });
}

const policies: readonly PolicyLike[] = [
  new Policy(),
  new RetryPolicy({ strategy }),
  new KeyedPolicy({ circuitBreaker: new Keyed(CircuitBreaker, { capacity: 4 }) }).at("key"),
  context(new Policy()),
  new FakePolicy({ result: 7 }),
  new RecordingPolicy(),
];
export const answers: Promise<number>[] = policies.map(read);
export const contexts = policies.map((policy) => context(policy, { operation: "read" }));
export const fetches: unknown[] = policies.map((policy) => redressFetch(policy));
// @ts-expect-error what runs nothing is no policy
export const wrong = (): unknown => context({});

interface Page {
  readonly rows: readonly string[];
}
declare function load(): Promise<Page>;

export const page: Promise<Page> = retry(load, {
  resultClassifier: ({ rows }) => (rows.length === 0 ? "TRANSIENT" : null),
});
export const attempted: Promise<number> = retry(async ({ attempt }) => attempt, {
  resultClassifier: (value) => (value.toFixed(1) === "0.0" ? "UNKNOWN" : null),
});
export const classified: Promise<Page> = retry(load, { resultClassifier: classify.http });
// @ts-expect-error a page has no status
export const none = (): unknown => retry(load, { resultClassifier: ({ status }) => status });
// Elsewhere a policy does not know what it is going to run.
export const typed = new RetryPolicy({
  strategy,
  resultClassifier: (value: Page) => (value.rows[0] === "" && "TRANSIENT") || null,
});
