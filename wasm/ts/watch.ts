// `redress/watch`: has watchers watch the calls of a policy.

export type { CircuitStatus, WatchedPolicy } from "./watch/status.js";
export { type CallWatch, type Watcher, type WatchOptions, watch } from "./watch/watch.js";
