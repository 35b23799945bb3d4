// `redress/opentelemetry`: reports to OpenTelemetry.

export * from "./watch/opentelemetry.js";
