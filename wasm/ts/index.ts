// `redress`: failure handling as policy.

export * as backoff from "./backoff/builtin.js";
export { Backoff, type Strategy, type StrategyFunction } from "./backoff/strategy.js";
export { type CallContext, context } from "./call/context.js";
export { type Fetch, type FetchOptions, redressFetch } from "./call/fetch.js";
export { outcomeOf } from "./call/outcomes.js";
export { begin, type Call, type Decision, type StartedAttempt } from "./call/steps.js";
export { callSync } from "./call/synchronous.js";
export * as classify from "./classify.js";
export type { Issue, Problem } from "./config/issues.js";
export { type RestoreOptions, restore, type Snapshot, snapshot } from "./durable/snapshot.js";
export * from "./errors.js";
export { type BreakerStatus, CircuitBreaker, type CircuitBreakerOptions } from "./policy/breaker.js";
export { Budget, type RatioBudgetOptions, type RollingBudgetOptions } from "./policy/budget.js";
export { Keyed, KeyedPolicy, type KeyedPolicyOptions } from "./policy/keyed.js";
export {
  Policy,
  type PolicyHooks,
  type PolicyOptions,
  Retry,
  RetryPolicy,
  retry,
  type Wrapped,
} from "./policy/policy.js";
export { RetryConfig, type RetryOptions } from "./policy/retry-options.js";
export { type CallsWindow, type RateWindow, rateOfCalls, rateOverTime, type TimeWindow } from "./policy/windows.js";
export type * from "./types.js";
export { WasmUnavailableError } from "./wasm/core.js";
