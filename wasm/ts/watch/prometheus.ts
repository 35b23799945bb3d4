// Metrics for Prometheus, by prom-client.

import { BUCKETS, COUNTERS, GAUGES, HISTOGRAMS, type Labels, Metrics, type Recorder } from "./metrics.js";
import { peer } from "./peer.js";
import { Policies } from "./status.js";
import type { Watcher } from "./watch.js";

/** How a metric of prom-client is made. */
interface MetricSettings {
  /** Its name. */
  name: string;
  /** What it is. */
  help: string;
  /** The labels that it may have. */
  labelNames: string[];
  /** The bounds of its buckets. */
  buckets?: number[];
  /** Where it is registered. */
  registers: any[];
  /** Sets its values before they are read. */
  collect?(): void;
}

/** What is needed of the module prom-client. */
export interface PromClient {
  /** Counts. */
  Counter: new (
    settings: any,
  ) => {
    /** Adds to it. */
    inc(labels: Labels, value?: number): void;
  };
  /** Counts by size. */
  Histogram: new (
    settings: any,
  ) => {
    /** Records a value. */
    observe(labels: Labels, value: number): void;
  };
  /** Has a value. */
  Gauge: new (
    settings: any,
  ) => {
    /** Sets it. */
    set(labels: Labels, value: number): void;
    /** Forgets all values. */
    reset(): void;
  };
  /** The registry of all metrics that say no other. */
  register: PromRegistry;
}

/** What is needed of a registry of prom-client. */
export interface PromRegistry {
  /** A metric by its name. */
  getSingleMetric(name: string): unknown;
}

/** Where the metrics go. */
export interface PrometheusOptions {
  /** A registry of the program's own; that of prom-client by default. */
  register?: PromRegistry | undefined;
}

const inPrometheus = (name: string): string => name.replaceAll(".", "_");

/**
 * Counts and times all calls, and has the state of breakers and what is left of budgets whenever Prometheus asks.
 *
 * `client` is the module: `import client from "prom-client"`. Names are those of the README with `_` for dots:
 * `redress_retries`. Several watchers of one registry have the same metrics.
 */
export function prometheus(client: PromClient, { register }: PrometheusOptions = {}): Watcher {
  const needs = 'the module prom-client: npm install prom-client, and import client from "prom-client"';
  const {
    Counter,
    Histogram,
    Gauge,
    register: usual,
  } = peer("prometheus", client, ["Counter", "Histogram", "Gauge"], needs);
  const registry = (register ?? usual) as PromRegistry & Record<typeof SHARED, Shared | undefined>;
  const shared = (registry[SHARED] ??= made());
  const { metrics, policies } = shared;

  function made(): Shared {
    const settings = (name: string, [help, labels]: readonly [string, readonly string[]]): MetricSettings => {
      return { name: inPrometheus(name), help, labelNames: ["upstream", ...labels], registers: [registry] };
    };
    const each = <K extends string, V>(
      all: Record<K, readonly [string, readonly string[]]>,
      make: (settings: MetricSettings, name: K) => V,
    ) => {
      const entries = (Object.keys(all) as K[]).map((name) => [name, make(settings(name, all[name]), name)]);
      return Object.fromEntries(entries) as Record<K, V>;
    };
    const metrics = new Metrics();
    const policies = new Policies();
    const counters = each(COUNTERS, (one) => new Counter(one));
    const histograms = each(HISTOGRAMS, (one) => new Histogram({ ...one, buckets: BUCKETS }));
    each(GAUGES, (one, name) => {
      const gauge = new Gauge({
        ...one,
        collect() {
          gauge.reset();
          for (const [of, value, labels] of metrics.allGauges(policies)) if (of === name) gauge.set(labels, value);
        },
      });
      return gauge;
    });
    const recorder: Recorder = {
      count: (name, labels) => counters[name].inc(labels, 1),
      time: (name, seconds, labels) => histograms[name].observe(labels, seconds),
    };
    return { metrics, policies, recorder };
  }

  return {
    watch(policy) {
      policies.add(policy);
      const hooks = {
        onEvent: (event: Parameters<Metrics["record"]>[2]) => metrics.record(shared.recorder, policy, event),
      };
      return () => hooks;
    },
  };
}

/** By this a registry has the metrics of all watchers; the same in every copy of the package. */
const SHARED: unique symbol = Symbol.for("redress.prometheus") as never;

interface Shared {
  readonly metrics: Metrics;
  readonly policies: Policies;
  readonly recorder: Recorder;
}
