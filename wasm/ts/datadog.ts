// `redress/datadog`: reports to Datadog.

export * from "./watch/datadog.js";
