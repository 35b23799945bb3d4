// The package: failure handling as policy.

export { Backoff, backoff, type Strategy, type StrategyFunction } from "./backoff.js";
export { CircuitBreaker, type CircuitBreakerOptions, type RateWindow } from "./breaker.js";
export { Budget, type RatioBudgetOptions, type RollingBudgetOptions } from "./budget.js";
export { type Call, type Decision, type StartedAttempt, begin } from "./call.js";
export { classify } from "./classify.js";
export { WasmUnavailableError } from "./core.js";
export * from "./errors.js";
export { type Fetch, type FetchOptions, redressFetch } from "./fetch.js";
export { Keyed, KeyedPolicy, type KeyedPolicyOptions } from "./keyed.js";
export { type CallContext, Policy, type PolicyHooks, type PolicyOptions, Retry, RetryPolicy, type Wrapped, retry } from "./policy.js";
export { RetryConfig, type RetryOptions } from "./rules.js";
export type { RestoreOptions, Snapshot } from "./snapshot.js";
export type * from "./types.js";
