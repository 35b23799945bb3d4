// What Prometheus has seen, drawn from its range queries.

import { writeFileSync } from "node:fs";
import * as echarts from "echarts";

/** The times that are drawn, and what happened when. */
interface Times {
  readonly from: number;
  readonly to: number;
  readonly marks: readonly { readonly at: number; readonly name: string }[];
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** A panel: its title, its query, and what its lines are called. */
const PANELS = [
  ["Calls a second, by how they ended", "sum by (event) (rate(redress_retry_duration_count[2s]))", "event"],
  ["Retries a second, by upstream", "sum by (upstream) (rate(redress_retries[2s]))", "upstream"],
  ["Circuits: 0 closed, 1 half-open, 2 open", "max by (upstream) (redress_circuit_state)", "upstream"],
  ["Retries that the budget has left", "min(redress_budget_remaining)", ""],
] as const;

const WIDTH = 1_000;
const HEIGHT = 210;
const TOP = 96;

async function range(url: string, query: string, { from, to }: Times): Promise<Series[]> {
  const words = { query, start: String(from / 1_000), end: String(to / 1_000), step: "0.25" };
  const response = await fetch(`${url}/api/v1/query_range?${new URLSearchParams(words)}`);
  const { status, error, data } = (await response.json()) as {
    status: string;
    error?: string;
    data: { result: Series[] };
  };
  if (status !== "success" || data.result.length === 0) throw new Error(`${query}: ${error ?? "no data"}`);
  return data.result;
}

/** Draws picture.svg; its name. */
export async function draw(url: string, times: Times): Promise<string> {
  const secs = (ms: number) => (ms - times.from) / 1_000;
  const found = await Promise.all(PANELS.map(([, query]) => range(url, query, times)));
  const height = TOP + PANELS.length * HEIGHT;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  const at = PANELS.map((_, index) => index);
  const colors = new Map<string, string>();
  const palette = ["#2f6f4f", "#c0392b", "#2d6cdf", "#d98e04", "#7d3c98", "#16a085", "#7f8c8d", "#a04000"];
  const colorOf = (name: string) => {
    if (!colors.has(name)) colors.set(name, palette[colors.size % palette.length]!);
    return colors.get(name)!;
  };
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: [
      {
        text: "node-service under faults",
        subtext: phases(times.marks),
        left: 10,
        top: 6,
        itemGap: 6,
        textStyle: { fontSize: 15 },
        subtextStyle: { fontSize: 11, color: "#444444", lineHeight: 15 },
      },
      ...PANELS.map(([text], index) => {
        return {
          text,
          left: 10,
          top: TOP + index * HEIGHT - 20,
          textStyle: { fontSize: 12, fontWeight: "normal" as const },
        };
      }),
    ],
    legend: PANELS.map((_, index) => {
      const data = found[index]!.map(({ metric }) => nameOf(index, metric));
      const top = TOP + index * HEIGHT + HEIGHT - 62;
      return {
        data,
        left: 50,
        top,
        icon: "roundRect",
        itemGap: 22,
        itemWidth: 12,
        itemHeight: 4,
        textStyle: { fontSize: 11 },
      };
    }),
    grid: at.map((index) => ({ left: 55, right: 20, top: TOP + index * HEIGHT + 16, height: HEIGHT - 96 })),
    xAxis: at.map((gridIndex) => {
      const axisLabel = { formatter: "{value} s", showMaxLabel: false };
      return { type: "value" as const, gridIndex, min: 0, max: Math.ceil(secs(times.to)), axisLabel };
    }),
    yAxis: at.map((gridIndex) => ({
      type: "value" as const,
      gridIndex,
      min: 0,
      ...(gridIndex === 2 ? { max: 2, interval: 1 } : {}),
    })),
    series: found.flatMap((all, index) =>
      all.map(({ metric, values }, line) => ({
        name: nameOf(index, metric),
        type: "line" as const,
        step: index === 2 ? ("end" as const) : (false as const),
        xAxisIndex: index,
        yAxisIndex: index,
        showSymbol: false,
        lineStyle: { width: 1.6 },
        color: colorOf(nameOf(index, metric)),
        data: values.map(([time, value]) => [secs(time * 1_000), Number(value)]),
        ...(line === 0 ? { markLine: marked(times, secs, index === 0) } : {}),
      })),
    ),
  });
  writeFileSync("picture.svg", chart.renderToSVGString());
  chart.dispose();
  return "picture.svg";
}

function nameOf(index: number, metric: Readonly<Record<string, string>>): string {
  return metric[PANELS[index]![2]] ?? "budget";
}

/** The names of the phases by their numbers, in two lines. */
function phases(marks: Times["marks"]): string {
  const names = marks.map(({ name }, index) => `${index + 1} ${name}`);
  const half = Math.ceil(names.length / 2);
  return [names.slice(0, half), names.slice(half)].map((line) => line.join(",  ")).join("\n");
}

/** A line where each phase begins, with its number in the first panel. */
function marked({ marks }: Times, secs: (ms: number) => number, isNamed: boolean) {
  return {
    silent: true,
    symbol: "none",
    lineStyle: { color: "#999999", type: "dashed" as const, width: 0.8 },
    label: {
      show: isNamed,
      position: "end" as const,
      fontSize: 11,
      color: "#444444",
      formatter: "{b}",
    },
    data: marks.map(({ at }, index) => ({ name: String(index + 1), xAxis: secs(at) })),
  };
}
