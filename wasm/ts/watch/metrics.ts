// The metrics that every watcher of metrics makes, by the names that redress for Rust gives them.

import type { CircuitState, PolicyEvent } from "../types.js";
import { changesCircuit, endsCall } from "./events.js";
import type { Policies, WatchedPolicy } from "./status.js";

/** Labels of a metric: few values each. */
export type Labels = Record<string, string>;

/** The counters, by their names: what they count, and with which labels. */
export const COUNTERS = {
  "redress.events": ["Events of calls and breakers", ["operation", "event", "class", "stop_reason", "state"]],
  "redress.retries": ["Attempts that failed and are followed by another", ["operation", "class"]],
  "redress.success_after_retries": ["Calls that succeeded after a retry", ["operation"]],
} as const;

/** The histograms, in seconds. */
export const HISTOGRAMS = {
  "redress.retry.duration": ["A whole call, delays included", ["operation", "event"]],
  "redress.retry.sleep": ["The delay before a retry", ["operation", "class"]],
} as const;

/** The gauges. */
export const GAUGES = {
  "redress.circuit.state": ["0 closed, 1 half-open, 2 open", ["key"]],
  "redress.budget.remaining": ["Retries that the budget has left", []],
} as const;

/** The bounds of the buckets of a histogram, in seconds. */
export const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Where counts and times of events go. */
export interface Recorder {
  /** Adds 1 to a counter. */
  count(name: keyof typeof COUNTERS, labels: Labels): void;
  /** Records a time in seconds. */
  time(name: keyof typeof HISTOGRAMS, seconds: number, labels: Labels): void;
}

/** The value of the gauge of a state. */
const stateNumber = (state: CircuitState): number => ["closed", "half_open", "open"].indexOf(state);

/** What has at most so many values; all further ones are "other". */
export class Few {
  readonly #seen = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  of(value: string): string {
    if (!this.#seen.has(value)) {
      if (this.#seen.size >= this.#most) return "other";
      this.#seen.add(value);
    }
    return value;
  }
}

/** How many operations, and how many keys, have time series of their own. */
const MOST_SERIES = 100;

/** Makes metrics of what happens to policies. */
export class Metrics {
  readonly #operations = new Few(MOST_SERIES);
  readonly #keys = new Few(MOST_SERIES);

  /** Records an event. */
  record(to: Recorder, { upstream }: WatchedPolicy, event: PolicyEvent): void {
    const common: Labels = upstream === undefined ? {} : { upstream };
    if (event.operation !== undefined) common["operation"] = this.#operations.of(event.operation);
    const ofClass = event.class === undefined ? common : { ...common, class: event.class };
    const counted: Labels = { ...ofClass, event: event.event };
    if (event.stopReason !== undefined) counted["stop_reason"] = event.stopReason;
    if (event.state !== undefined) counted["state"] = event.state;
    to.count("redress.events", counted);
    if (event.event === "retry") {
      to.count("redress.retries", ofClass);
      to.time("redress.retry.sleep", event.sleepMs / 1000, ofClass);
    }
    if (event.event === "success" && event.attempt > 1) to.count("redress.success_after_retries", common);
    if (endsCall(event)) to.time("redress.retry.duration", event.elapsedMs / 1000, { ...common, event: event.event });
  }

  /** The gauges of a policy as they are now. */
  gauges(policy: WatchedPolicy): [name: keyof typeof GAUGES, value: number, labels: Labels][] {
    const { upstream } = policy;
    const common: Labels = upstream === undefined ? {} : { upstream };
    const all: ReturnType<Metrics["gauges"]> = policy.circuits().map(({ key, state }) => {
      const labels = key === undefined ? common : { ...common, key: this.#keys.of(key) };
      return ["redress.circuit.state", stateNumber(state), labels];
    });
    const remaining = policy.budgetRemaining();
    if (remaining !== undefined) all.push(["redress.budget.remaining", remaining, common]);
    return all;
  }

  /** The gauges of all policies; where several have the same labels, that which is worst off. */
  allGauges(policies: Policies): ReturnType<Metrics["gauges"]> {
    const worst = new Map<string, ReturnType<Metrics["gauges"]>[number]>();
    for (const policy of policies) {
      for (const gauge of this.gauges(policy)) {
        const [name, value, labels] = gauge;
        const series = JSON.stringify([name, labels]);
        const before = worst.get(series)?.[1];
        const isWorse = before === undefined || (name === "redress.budget.remaining" ? value < before : value > before);
        if (isWorse) worst.set(series, gauge);
      }
    }
    return [...worst.values()];
  }
}

/** Whether gauges may have changed by an event. */
export function movesGauges(event: PolicyEvent): boolean {
  return endsCall(event) || changesCircuit(event) || event.event === "retry";
}
