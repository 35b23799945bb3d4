// `redress/redis`: a breaker and a budget that processes share in Redis, or in another store.

export { type Ioredis, type NodeRedis, redisStore, sharedBreaker, sharedBudget } from "./shared/redis.js";
export { SharedBreaker, type SharedBreakerOptions, SharedBudget, type SharedBudgetOptions } from "./shared/shared.js";
export type { SharedOptions } from "./shared/state.js";
export type { Store, Stored } from "./shared/store.js";
