// Spans and instruments of OpenTelemetry.

import type { AttemptInfo, PolicyEvent } from "../types.js";
import { changesCircuit, endsCall } from "./events.js";
import { BUCKETS, COUNTERS, GAUGES, HISTOGRAMS, type Labels, Metrics, type Recorder } from "./metrics.js";
import { peer } from "./peer.js";
import { Policies, type WatchedPolicy } from "./status.js";
import type { CallWatch, Watcher } from "./watch.js";

type Attributes = Record<string, string | number>;

/** What is needed of a span. */
export interface OtelSpan {
  /** Adds what happened. */
  addEvent(name: string, attributes?: any): unknown;
  /** Adds what is known. */
  setAttribute(name: string, value: any): unknown;
  /** Says whether it failed. */
  setStatus(status: any): unknown;
  /** Ends it. */
  end(at?: any): void;
}

/** What is needed of a tracer. */
export interface OtelTracer {
  /** Begins a span. */
  startSpan(name: string, options?: any, context?: any): OtelSpan;
}

/** What is needed of a meter. */
export interface OtelMeter {
  /** Makes a counter. */
  createCounter(
    name: string,
    options?: any,
  ): {
    /** Adds to it. */
    add(value: number, attributes?: any): void;
  };
  /** Makes a histogram. */
  createHistogram(
    name: string,
    options?: any,
  ): {
    /** Records a value. */
    record(value: number, attributes?: any): void;
  };
  /** Makes a gauge that is asked for its values. */
  createObservableGauge(
    name: string,
    options?: any,
  ): {
    /** Sets what is asked. */
    addCallback(callback: (result: any) => void): void;
  };
}

/** What is needed of the module @opentelemetry/api. */
export interface OtelApi {
  /** Tracers, and spans in contexts. */
  trace: {
    /** The tracer of a library. */
    getTracer(name: string): OtelTracer;
    /** A context with this span. */
    setSpan(context: any, span: any): any;
  };
  /** Meters. */
  metrics: {
    /** The meter of a library. */
    getMeter(name: string): OtelMeter;
  };
  /** Contexts. */
  context: {
    /** That in which this runs. */
    active(): any;
    /** Runs a function in another one. */
    with(context: any, run: () => any): any;
  };
}

/** In place of the global providers. */
export interface OpenTelemetryOptions {
  /** Makes the spans. */
  tracer?: OtelTracer | undefined;
  /** Makes the instruments. */
  meter?: OtelMeter | undefined;
}

/** SpanStatusCode.ERROR. */
const ERROR = 2;

/**
 * Makes a span for each call, named `redress.call`, with an event for each attempt and each event of the call, and the
 * metrics of the README. The operation of an attempt runs in the context of the span, so that spans of clients are its children.
 *
 * `api` is the module: `import * as api from "@opentelemetry/api"`. Tracer and meter are those of the global providers
 * when the first call begins.
 */
export function openTelemetry(api: OtelApi, options: OpenTelemetryOptions = {}): Watcher {
  const needs =
    'the module @opentelemetry/api: npm install @opentelemetry/api, and import * as api from "@opentelemetry/api"';
  const { trace, metrics: meters, context } = peer("openTelemetry", api, ["trace", "metrics", "context"], needs);
  const policies = new Policies();
  const metrics = new Metrics();
  let tracer: OtelTracer;
  let recorder: Recorder | undefined;
  const begin = () => {
    tracer = options.tracer ?? trace.getTracer("redress");
    recorder = instruments(options.meter ?? meters.getMeter("redress"), metrics, policies);
  };
  return {
    watch(policy) {
      policies.add(policy);
      return () => {
        if (recorder === undefined) begin();
        const parent = context.active();
        const start = (began: number) => tracer.startSpan("redress.call", { startTime: began }, parent);
        return new Traced(policy, start, {
          record: (event) => metrics.record(recorder!, policy, event),
          within: (span, run) => context.with(trace.setSpan(context.active(), span), run),
        });
      };
    },
  };
}

/** What a call needs besides its span. */
interface Around {
  record(event: PolicyEvent): void;
  within<T>(span: OtelSpan, run: () => T): T;
}

/** A call with its span, which begins with the first that is known of it; an event of a breaker alone makes none. */
class Traced implements CallWatch {
  readonly #policy: WatchedPolicy;
  readonly #start: (began: number) => OtelSpan;
  readonly #around: Around;
  readonly #began = Date.now();
  #span: OtelSpan | undefined;
  #operation: string | undefined;
  #hasEnded = false;

  constructor(policy: WatchedPolicy, start: (began: number) => OtelSpan, around: Around) {
    this.#policy = policy;
    this.#start = start;
    this.#around = around;
  }

  #spanOf(operation: string | undefined): OtelSpan {
    if (this.#span === undefined) {
      this.#span = this.#start(this.#began);
      if (this.#policy.upstream !== undefined) this.#span.setAttribute("upstream", this.#policy.upstream);
    }
    if (operation !== undefined && this.#operation === undefined) {
      this.#operation = operation;
      this.#span.setAttribute("operation", operation);
    }
    return this.#span;
  }

  onAttemptStart({ attempt, operation }: AttemptInfo): void {
    this.#spanOf(operation).addEvent("attempt", { "retry.attempt": attempt });
  }

  onEvent(event: PolicyEvent): void {
    this.#around.record(event);
    const isCircuit = changesCircuit(event);
    // By hand, without a call.
    if (isCircuit && this.#span === undefined && event.elapsedMs === 0 && event.event !== "circuit_half_open") return;
    const span = this.#spanOf(isCircuit ? undefined : event.operation);
    const attributes: Attributes = { "retry.attempt": event.attempt, "retry.delay_ms": event.sleepMs };
    if (event.class !== undefined) attributes["error.class"] = event.class;
    if (event.err !== undefined) attributes["error.type"] = event.err;
    if (event.state !== undefined) attributes["circuit.state"] = event.state;
    if (event.stopReason !== undefined) attributes["stop_reason"] = event.stopReason;
    span.addEvent(event.event, attributes);
    if (!endsCall(event)) return;
    this.#hasEnded = true;
    span.setAttribute("retry.attempts", event.attempt);
    if (event.class !== undefined) span.setAttribute("error.class", event.class);
    if (event.stopReason !== undefined) span.setAttribute("stop_reason", event.stopReason);
    if (event.event !== "success") span.setStatus({ code: ERROR, message: event.event });
  }

  run<T>(operation: () => T): T {
    return this.#span === undefined ? operation() : this.#around.within(this.#span, operation);
  }

  onEnd(error?: unknown): void {
    // Without a word of how it ended: a step by step call that was cancelled, or a breaker of the user's own that failed.
    if (!this.#hasEnded && error !== undefined) {
      this.#spanOf(undefined).setStatus({ code: ERROR, message: (error as Error | null)?.name ?? "error" });
    } else if (!this.#hasEnded) this.#span?.addEvent("cancelled");
    this.#span?.end();
    this.#span = undefined;
  }
}

/** Makes the instruments. */
function instruments(meter: OtelMeter, metrics: Metrics, policies: Policies): Recorder {
  const counters = all(COUNTERS, (name, description) => meter.createCounter(name, { description }));
  const histograms = all(HISTOGRAMS, (name, description) => {
    return meter.createHistogram(name, { description, unit: "s", advice: { explicitBucketBoundaries: BUCKETS } });
  });
  all(GAUGES, (name, description) => {
    meter.createObservableGauge(name, { description }).addCallback((result) => {
      for (const [of, value, labels] of metrics.allGauges(policies)) if (of === name) result.observe(value, labels);
    });
  });
  return {
    count: (name, labels: Labels) => counters[name].add(1, labels),
    time: (name, seconds, labels) => histograms[name].record(seconds, labels),
  };
}

function all<K extends string, V>(
  names: Record<K, readonly [string, readonly string[]]>,
  make: (name: K, description: string) => V,
): Record<K, V> {
  const entries = (Object.keys(names) as K[]).map((name) => [name, make(name, names[name][0])]);
  return Object.fromEntries(entries) as Record<K, V>;
}
