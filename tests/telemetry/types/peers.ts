// The real types of each library are what its watcher takes.

import * as api from "@opentelemetry/api";
import * as Sentry from "@sentry/node";
import tracer from "dd-trace";
import { StatsD } from "hot-shots";
import pino from "pino";
import client from "prom-client";
import { backoff, RetryPolicy } from "redress";
import { datadog } from "redress/datadog";
import { log } from "redress/log";
import { openTelemetry } from "redress/opentelemetry";
import { prometheus } from "redress/prometheus";
import { FINAL_FAILURES, sentry } from "redress/sentry";
import { type Watcher, watch } from "redress/watch";

const watchers: Watcher[] = [
  openTelemetry(api),
  openTelemetry(api, { tracer: api.trace.getTracer("own"), meter: api.metrics.getMeter("own") }),
  prometheus(client),
  prometheus(client, { register: new client.Registry() }),
  sentry(Sentry),
  sentry(Sentry, { capture: [...FINAL_FAILURES, "circuit_opened"] }),
  datadog(new StatsD()),
  datadog(tracer.dogstatsd),
  log(),
  log(console),
  log(pino()),
];
export const policy: RetryPolicy = watch(new RetryPolicy({ strategy: backoff.constant(1) }), watchers);
// @ts-expect-error a registry is not the module
prometheus(client.register);
// @ts-expect-error an event that there is not
sentry(Sentry, { capture: ["failed"] });
