// `redress/sentry`: reports to Sentry.

export * from "./watch/sentry.js";
