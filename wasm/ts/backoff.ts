// `redress/backoff`: the strategies, each an export of its own.

export * from "./backoff/builtin.js";
