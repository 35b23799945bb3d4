// Traces over OTLP, metrics for Prometheus, lines for a log: the three that watch every call of the service.

import * as api from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import client from "prom-client";
import { type Logger, log } from "redress/log";
import { openTelemetry } from "redress/opentelemetry";
import { prometheus } from "redress/prometheus";
import type { Watcher } from "redress/watch";

/** What sends spans to a collector. */
export interface Tracing {
  /** Sends those that are left. */
  flush(): Promise<void>;
  end(): Promise<void>;
}

/** Sends spans to a collector, if there is one. */
export function startTracing(url: string | undefined): Tracing {
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (url === undefined) return { flush: async () => {}, end: async () => {} };
  const provider = new BasicTracerProvider({
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  });
  api.trace.setGlobalTracerProvider(provider);
  return { flush: () => provider.forceFlush(), end: () => provider.shutdown() };
}

/** Runs a request of this route in a span of its own. */
export function traced<T>(route: string, run: () => Promise<T>): Promise<T> {
  return api.trace.getTracer("service").startActiveSpan(route, async (span) => {
    try {
      return await run();
    } finally {
      span.end();
    }
  });
}

/** What watches the policies of a service. */
export function watchers(register: client.Registry, logger: Logger): Watcher[] {
  return [openTelemetry(api), prometheus(client, { register }), log(logger, { level: "info" })];
}
