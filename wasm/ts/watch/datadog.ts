// Metrics for Datadog, by DogStatsD.

import type { PolicyEvent } from "../types.js";
import { type Labels, Metrics, movesGauges, type Recorder } from "./metrics.js";
import { peer } from "./peer.js";
import type { Watcher } from "./watch.js";

/** What is needed of a client of DogStatsD: hot-shots, or `tracer.dogstatsd` of dd-trace. */
export interface StatsdClient {
  /** Adds to a counter. */
  increment(name: string, value: number, tags: any): unknown;
  /** Records a value. */
  histogram(name: string, value: number, tags: any): unknown;
  /** Sets a value. */
  gauge(name: string, value: number, tags: any): unknown;
}

/**
 * Counts and times all calls; the state of breakers and what is left of budgets are sent after each call and each retry.
 *
 * `client` is the program's own: `new StatsD()` of hot-shots, or `tracer.dogstatsd` of dd-trace.
 */
export function datadog(client: StatsdClient): Watcher {
  const needs = "a client of DogStatsD: npm install hot-shots, and new StatsD(); or tracer.dogstatsd of dd-trace";
  const to = peer("datadog", client, ["increment", "histogram", "gauge"], needs);
  const metrics = new Metrics();
  const recorder: Recorder = {
    count: (name, labels: Labels) => to.increment(name, 1, labels),
    time: (name, seconds, labels) => to.histogram(name, seconds, labels),
  };
  return {
    watch(policy) {
      const onEvent = (event: PolicyEvent) => {
        metrics.record(recorder, policy, event);
        if (movesGauges(event))
          for (const [name, value, labels] of metrics.gauges(policy)) to.gauge(name, value, labels);
      };
      return () => ({ onEvent });
    },
  };
}
