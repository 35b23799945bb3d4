// Windows, snapshots, and what can be imported by itself.

import {
  Budget,
  backoff,
  CircuitBreaker,
  classify,
  type RateWindow,
  rateOfCalls,
  rateOverTime,
  restore,
  type Snapshot,
  snapshot,
} from "redress";
import * as strategies from "redress/backoff";
import * as classifiers from "redress/classify";

const calls: RateWindow = rateOfCalls({ size: 100, rate: 0.5, minCalls: 10 });
const time: RateWindow = rateOverTime({ ms: 10_000, rate: 0.5, minCalls: 10, slow: { afterMs: 500, rate: 0.8 } });
const breaker = new CircuitBreaker({ window: calls });
new CircuitBreaker({ window: time });

// @ts-expect-error a window is made by a function
new CircuitBreaker({ window: { kind: "calls", size: 100, rate: 0.5, minCalls: 10 } });
// @ts-expect-error it counts calls, which are never slow
rateOfCalls({ size: 100, rate: 0.5, minCalls: 10, slow: { afterMs: 500, rate: 0.8 } });

const saved: Snapshot = snapshot(breaker);
restore(breaker, saved, { offMs: 5 });
restore(new Budget({ ratio: 0.1 }), saved);
// @ts-expect-error there is no snapshot of a strategy
snapshot(backoff.constant(1));

const same: typeof classify.http = classifiers.http;
const still: typeof backoff.constant = strategies.constant;
classify.default(same(still(1)));
