// The package: failure handling as policy.

export * as backoff from "./backoff.js";
export { CircuitBreaker, type CircuitBreakerOptions } from "./breaker.js";
export { Budget, type RatioBudgetOptions, type RollingBudgetOptions } from "./budget.js";
export { type Call, type Decision, type StartedAttempt, begin } from "./call.js";
export * as classify from "./classify.js";
export { type CallContext, context } from "./context.js";
export { WasmUnavailableError } from "./core.js";
export * from "./errors.js";
export { type Fetch, type FetchOptions, redressFetch } from "./fetch.js";
export { Keyed, KeyedPolicy, type KeyedPolicyOptions } from "./keyed.js";
export { Policy, type PolicyHooks, type PolicyOptions, Retry, RetryPolicy, type Wrapped, retry } from "./policy.js";
export { RetryConfig, type RetryOptions } from "./rules.js";
export { type RestoreOptions, type Snapshot, restore, snapshot } from "./snapshot.js";
export { Backoff, type Strategy, type StrategyFunction } from "./strategy.js";
export { callSync } from "./synchronous.js";
export type * from "./types.js";
export { type CallsWindow, type RateWindow, rateOfCalls, rateOverTime, type TimeWindow } from "./windows.js";
