// `redress/prometheus`: reports to Prometheus.

export * from "./watch/prometheus.js";
