// `redress/lint`: what is wrong or suspicious in a configuration.

export * from "./lint/lint.js";
