// The pictures: uPlot, with the colours of the page.

import uPlot from "uplot";
import type { Delays } from "./delays.js";
import type { Courses } from "./job.js";
import { BIN_MS, BINS, STATES } from "./outage.js";
import type { Scene } from "./scene.js";

const HEIGHT = 190;

/** A colour of the style sheet as it is now: in a dark page it is another. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function axis(label: string, more: uPlot.Axis = {}): uPlot.Axis {
  const stroke = () => colour("ink");
  const lines = { stroke: () => colour("line"), width: 1 };
  return {
    label,
    stroke,
    grid: lines,
    ticks: lines,
    labelSize: 20,
    size: 52,
    font: "11px system-ui",
    labelFont: "11px system-ui",
    ...more,
  };
}

function line(name: string, more: uPlot.Series = {}): uPlot.Series {
  return { stroke: () => colour(name), width: 1.5, points: { show: false }, ...more };
}

/** A picture that is as wide as its place. */
class Chart {
  readonly #plot: uPlot;

  constructor(place: HTMLElement, options: Omit<uPlot.Options, "width" | "height">, data: uPlot.AlignedData) {
    const width = () => Math.max(200, place.clientWidth);
    const fixed = { legend: { show: false }, cursor: { show: false }, width: width(), height: HEIGHT };
    this.#plot = new uPlot({ ...options, ...fixed }, data, place);
    new ResizeObserver(() => this.#plot.setSize({ width: width(), height: HEIGHT })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot.redraw());
  }

  draw(data: uPlot.AlignedData): void {
    this.#plot.setData(data);
  }
}

/** Milliseconds in the largest unit that they fill. */
export function span(ms: number): string {
  if (ms >= 60_000) return `${+(ms / 60_000).toFixed(1)} min`;
  return ms >= 1000 ? `${+(ms / 1000).toFixed(2)} s` : `${+ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** The delays before each retry: the median in a band of 10 to 90 %, in a band of all. */
export class DelaysChart {
  readonly #chart: Chart;

  constructor(place: HTMLElement) {
    const band = (name: string) => line(name, { width: 0 });
    const options: Omit<uPlot.Options, "width" | "height"> = {
      scales: {
        x: { time: false, range: (_, __, max) => [0.5, (max ?? 1) + 0.5] },
        y: { range: (_, __, max) => [0, (max || 1) * 1.05] },
      },
      axes: [
        axis("retry", { incrs: [1, 2, 5, 10], size: 34 }),
        axis("delay", { size: 64, values: (_, ticks) => ticks.map(span) }),
      ],
      series: [
        {},
        band("all"),
        band("all"),
        band("most"),
        band("most"),
        line("guarded", { width: 2, points: { show: true, size: 6 } }),
      ],
      bands: [
        { series: [2, 1], fill: () => colour("all") },
        { series: [4, 3], fill: () => colour("most") },
      ],
    };
    this.#chart = new Chart(place, options, [[], [], [], [], [], []]);
  }

  draw({ retries }: Delays): void {
    // A single retry is a band, too.
    const wide =
      retries.length === 1 ? [{ nth: 0.8 }, { nth: 1 }, { nth: 1.2 }] : retries.map((_, nth) => ({ nth: nth + 1 }));
    const of = (name: "min" | "low" | "median" | "high" | "max") =>
      wide.map(({ nth }) => retries[Math.round(nth) - 1]?.[name] ?? 0);
    this.#chart.draw([wide.map(({ nth }) => nth), of("min"), of("max"), of("low"), of("high"), of("median")]);
  }
}

const MINUTES = Array.from({ length: BINS }, (_, bin) => ((bin + 1) * BIN_MS) / 60_000);

/** Shades the time of the outage. */
function outage(scene: () => Scene): uPlot.Plugin {
  const shade = (plot: uPlot) => {
    const { outageAtMs, outageMs } = scene();
    const [from, to] = [outageAtMs, outageAtMs + outageMs].map((ms) =>
      plot.valToPos(Math.min(ms / 60_000, 10), "x", true),
    );
    plot.ctx.save();
    plot.ctx.fillStyle = colour("outage");
    plot.ctx.fillRect(from!, plot.bbox.top, to! - from!, plot.bbox.height);
    plot.ctx.restore();
  };
  return { hooks: { drawClear: [shade] } };
}

function overTime(scene: () => Scene, label: string, series: uPlot.Series[], more: Partial<uPlot.Options> = {}) {
  return {
    scales: {
      x: { time: false, range: [0, 10] as [number, number] },
      y: { range: (_: uPlot, __: number, max: number): [number, number] => [0, (max || 1) * 1.05] },
    },
    axes: [axis("minutes", { size: 34 }), axis(label)],
    series: [{}, ...series],
    plugins: [outage(scene)],
    ...more,
  };
}

/** What happens over time, with guards and without. */
export class CoursesCharts {
  readonly #load: Chart;
  readonly #retries: Chart;
  readonly #successes: Chart;
  readonly #guards: Chart;

  /** The pictures at these places; `scene` says when the outage is. */
  constructor(place: (name: string) => HTMLElement, scene: () => Scene) {
    const both = () => [line("unguarded"), line("guarded")];
    const none: uPlot.AlignedData = [[], [], []];
    this.#load = new Chart(place("load"), overTime(scene, "attempts per s", both()), none);
    this.#retries = new Chart(place("retries"), overTime(scene, "retries per s", both()), none);
    this.#successes = new Chart(place("successes"), overTime(scene, "successes per s", both()), none);
    const steps = uPlot.paths.stepped!({ align: -1 });
    const series = [line("guarded", { paths: steps }), line("breaker", { scale: "state", paths: steps })];
    const options = overTime(scene, "retries left", series, {
      axes: [
        axis("minutes", { size: 34 }),
        axis("retries left"),
        axis("", {
          scale: "state",
          side: 1,
          size: 76,
          labelSize: 0,
          grid: { show: false },
          splits: () => [0, 1, 2],
          values: () => STATES.map((name) => name.replace("_", "-")),
        }),
      ],
    });
    this.#guards = new Chart(
      place("guards"),
      { ...options, scales: { ...options.scales, state: { range: [-0.2, 2.4] } } },
      none,
    );
  }

  /** Draws as much as is computed, a share from 0 to 1. */
  draw({ guarded, unguarded }: Courses, share: number): void {
    const some = (values: Float64Array) =>
      Array.from(values, (value, bin) => (bin < share * BINS && !Number.isNaN(value) ? value : null));
    this.#load.draw([MINUTES, some(unguarded.load), some(guarded.load)]);
    this.#retries.draw([MINUTES, some(unguarded.retries), some(guarded.retries)]);
    this.#successes.draw([MINUTES, some(unguarded.successes), some(guarded.successes)]);
    this.#guards.draw([MINUTES, some(guarded.balance), some(guarded.state)]);
  }
}
