// redress, set up for the same cases. `redress` is the installed package's module.

const RETRY = { maxAttempts: 4 };

/** An error that carries its status, as those of HTTP clients do. */
export function failing() {
  return Object.assign(new Error("busy"), { status: 503 });
}

export function ours(redress) {
  const { Budget, CircuitBreaker, Policy, RetryPolicy, backoff } = redress;
  const jitter = () => backoff.decorrelatedJitter({ baseMs: 250, maxMs: 5_000 });
  const breaker = () => new CircuitBreaker({ failureThreshold: 5, windowMs: 60_000, recoveryTimeoutMs: 30_000 });

  return {
    successRetryBreaker: (operation) => {
      const policy = new Policy({ retry: { ...RETRY, strategy: jitter() }, circuitBreaker: breaker() });
      return () => policy.call(operation);
    },

    successRetry: (operation) => {
      const policy = new RetryPolicy({ ...RETRY, strategy: jitter() });
      return () => policy.call(operation);
    },

    threeFailures: (operation) => {
      const policy = new RetryPolicy({ ...RETRY, strategy: backoff.constant(0) });
      return () => policy.call(operation);
    },

    openRejection: async () => {
      const policy = new Policy({ circuitBreaker: breaker() });
      const dead = async () => {
        throw failing();
      };
      for (let n = 0; n < 5; n += 1) await policy.call(dead).catch(() => {});
      return () => policy.call(dead);
    },

    idleBreaker: { make: breaker, drop: () => {} },

    /** One that has counted a failure: from its first use on it has its place in the core. */
    usedBreaker: () => {
      const used = breaker();
      used.settle(used.admit().permit, "TRANSIENT");
      return used;
    },

    storm: (options = {}) => {
      const budget = new Budget({ ratio: 0.1, ...options });
      const policy = new RetryPolicy({ ...RETRY, strategy: backoff.constant(1), budget });
      return (operation) => policy.call(operation);
    },

    everything: () => {
      const budget = new Budget({ ratio: 0.1 });
      const policy = new Policy({
        retry: { ...RETRY, strategy: backoff.constant(0), budget },
        circuitBreaker: breaker(),
      });
      return (operation) => policy.call(operation);
    },
  };
}

/** What a program with policy, retry, breaker and budget imports. */
export const BUNDLE = `
  import { Budget, CircuitBreaker, Policy, backoff } from "redress";
  globalThis.all = new Policy({
    circuitBreaker: new CircuitBreaker(),
    retry: { strategy: backoff.decorrelatedJitter(), budget: new Budget({ maxRetries: 10, windowMs: 60_000 }) },
  });`;
