// What a program with policy, retry, breaker and budget takes of the package.

import { Budget, backoff, CircuitBreaker, Policy } from "redress";

globalThis.small = new Policy({
  circuitBreaker: new CircuitBreaker(),
  retry: { strategy: backoff.decorrelatedJitter(), budget: new Budget({ maxRetries: 10, windowMs: 60_000 }) },
});
