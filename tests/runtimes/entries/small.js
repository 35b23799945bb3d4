// What a program with policy, retry, breaker and budget takes of the package.

import { Budget, CircuitBreaker, Policy } from "redress";
import * as backoff from "redress/backoff";

globalThis.small = new Policy({
  circuitBreaker: new CircuitBreaker(),
  retry: { strategy: backoff.decorrelatedJitter(), budget: new Budget({ maxRetries: 10, windowMs: 60_000 }) },
});
