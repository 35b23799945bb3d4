// The page: what is edited, what is shown of it, and what keeps them in step.

import type { Finding } from "redress/lint";
import { CoursesCharts, DelaysChart, span } from "./charts.js";
import { rustOf } from "./code/rust.js";
import { typescriptOf } from "./code/typescript.js";
import { SEEDS } from "./delays.js";
import { policyGroups, sceneGroups } from "./fields.js";
import { Form, type Note } from "./form.js";
import type { Answer, Courses, Job } from "./job.js";
import { placeOf, rangeOf, readJson } from "./json.js";
import type { Totals } from "./outage.js";
import { CLASSES, issuesOf } from "./scene.js";
import { normalized } from "./settings.js";
import { EXAMPLES, hashOf, START, type State, stateOf } from "./state.js";

/** How long nothing is typed before it is computed anew, in milliseconds. */
const QUIET_MS = 120;

function element<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

const json = element<HTMLTextAreaElement>("json");
const progress = element<HTMLProgressElement>("progress");
const status = element("status");
const example = element<HTMLSelectElement>("example");
const shown = element<HTMLSelectElement>("shown");
const still = matchMedia("(prefers-reduced-motion: reduce)");

let state = START;
let job = 0;
let isPlayable = true;
let quiet: ReturnType<typeof setTimeout> | undefined;

/** Marks what has happened on the browser's own timeline, with the number of the job. */
function tell(what: string, detail: object = {}): void {
  performance.mark(what, { detail: { job, ...detail } });
}

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const delaysChart = new DelaysChart(element("chart-delays"));
const charts = new CoursesCharts(
  (name) => element(`chart-${name}`),
  () => state.scene,
);
const policyForm = new Form(element("policy"), state.settings, policyGroups, (settings) => {
  change({ ...state, settings });
  writeJson();
});
const sceneForm = new Form(
  element("scene"),
  state.scene,
  () => sceneGroups(),
  (scene) => change({ ...state, scene }),
);

/** Takes another state; it is computed once nothing more is typed. */
function change(to: State, delayMs = QUIET_MS): void {
  state = to;
  // What has been changed is no example any more.
  example.value = Object.keys(EXAMPLES).find((name) => EXAMPLES[name] === to) ?? "";
  clearTimeout(quiet);
  quiet = setTimeout(compute, delayMs);
}

function compute(): void {
  // What is under way is out of date, whatever comes of this.
  job += 1;
  history.replaceState(null, "", hashOf(state));
  const issues = issuesOf(state.scene);
  sceneForm.annotate(issues.map(({ path, message }): Note => ({ field: path, severity: "error", message })));
  // The worker is asked, too, so that it ends what it is at.
  worker.postMessage({ id: job, state: issues.length === 0 ? state : { ...state, scene: START.scene } } satisfies Job);
  isPlayable = issues.length === 0;
  status.textContent = isPlayable
    ? "computing"
    : "the callers and the outage have an error: the last good picture stays";
  progress.value = 0;
}

worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
  if (data.id !== job) return;
  if (data.kind === "findings") showFindings(data.findings);
  else if (data.kind === "broken") status.textContent = `it cannot be computed: ${data.message}`;
  else if (data.kind === "delays") {
    delaysChart.draw(data.delays);
    const { retries, stop } = data.delays;
    const list = retries.map(({ median, calls }) => span(median) + (calls < SEEDS ? ` (${calls} calls)` : ""));
    const before =
      list.length === 0 ? "No retry" : `Medians: ${list.slice(0, 8).join(", ")}${list.length > 8 ? ", .." : ""}`;
    element("delays-text").textContent = `${before}; then ${stop ?? "it goes on"}.`;
    tell("delays");
  } else if (isPlayable) {
    progress.value = data.share;
    const isOver = data.share === 1;
    // Pictures that grow are motion.
    if (isOver || !still.matches) charts.draw(data.courses, data.share);
    if (isOver) showTotals(data.courses);
    tell(isOver ? "done" : "progress", { share: data.share });
  }
});

worker.addEventListener("error", ({ message }) => {
  status.textContent = `the worker has failed: ${message}`;
});

function showTotals({ guarded, unguarded }: Courses): void {
  const rows: readonly (readonly [label: string, of: (totals: Totals) => number])[] = [
    ["calls", ({ calls }) => calls],
    ["attempts that reached the service", ({ attempts }) => attempts],
    ["calls that succeeded", ({ succeeded }) => succeeded],
    ["calls that failed", ({ failed }) => failed],
    ["calls that the breaker rejected", ({ rejected }) => rejected],
  ];
  element("totals").replaceChildren(
    ...rows.map(([label, of]) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = label;
      const cells = [guarded, unguarded].map(({ totals }) => {
        const cell = document.createElement("td");
        cell.textContent = of(totals).toLocaleString("en");
        return cell;
      });
      row.append(head, ...cells);
      return row;
    }),
  );
  const [most, least] = [unguarded, guarded].map(({ load }) => Math.max(...load).toFixed(0));
  status.textContent = `done: at most ${least} attempts per second, ${most} without budget and breaker`;
}

function showFindings(all: readonly Finding[]): void {
  policyForm.annotate(all);
  const hasError = all.some(({ severity }) => severity === "error");
  if (hasError) status.textContent = "the policy has an error: the last good picture stays";
  element("findings").replaceChildren(
    ...all.map(({ severity, field, message }) => {
      const range = rangeOf(json.value, field);
      const entry = document.createElement("li");
      entry.dataset["severity"] = severity;
      const text = `${severity}: ${message}`;
      if (range === null) entry.textContent = text;
      else {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = placeOf(json.value, range.start);
        button.addEventListener("click", () => {
          json.focus();
          json.setSelectionRange(range.start, range.end);
        });
        entry.append(button, ` ${text}`);
      }
      return entry;
    }),
  );
  element("clean").hidden = all.length > 0;
  for (const name of ["typescript", "rust"])
    element(`code-${name}`).textContent = hasError ? "" : CODE[name]!(state.settings);
  tell("findings");
}

const CODE: Readonly<Record<string, (settings: State["settings"]) => string>> = {
  typescript: typescriptOf,
  rust: rustOf,
};

function writeJson(): void {
  json.value = JSON.stringify(state.settings, null, 2);
  showMistake("");
}

function showMistake(message: string): void {
  element("mistake").textContent = message;
  json.setAttribute("aria-invalid", String(message !== ""));
}

json.addEventListener("input", () => {
  const read = readJson(json.value);
  if ("mistake" in read) {
    showMistake(`${read.mistake.message}; the last good picture stays`);
    tell("mistake");
    return;
  }
  showMistake("");
  const settings = normalized(read.settings);
  policyForm.show(settings);
  change({ ...state, settings });
});

/** Shows a state everywhere. */
function show(to: State): void {
  change(to, 0);
  policyForm.show(to.settings);
  sceneForm.show(to.scene);
  shown.value = to.shown;
  writeJson();
}

function fromAddress(): void {
  const problem = element("problem");
  problem.textContent = "";
  try {
    show(stateOf(location.hash) ?? START);
  } catch (error) {
    problem.textContent = `The address cannot be read: ${(error as Error).message}. The page shows its first example.`;
    show(START);
  }
}

async function copy(button: HTMLButtonElement, text: string): Promise<void> {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    button.textContent = "the browser does not allow it: select the text";
  }
  setTimeout(() => (button.textContent = before), 2_000);
}

for (const name of Object.keys(CODE)) {
  const button = element<HTMLButtonElement>(`copy-${name}`);
  button.addEventListener("click", () => copy(button, element(`code-${name}`).textContent ?? ""));
}
const share = element<HTMLButtonElement>("share");
share.addEventListener("click", () => {
  history.replaceState(null, "", hashOf(state));
  return copy(share, location.href);
});
example.append(new Option("your own", ""), ...Object.keys(EXAMPLES).map((name) => new Option(name)));
example.addEventListener("change", () => {
  const chosen = EXAMPLES[example.value];
  if (chosen !== undefined) show(chosen);
});
shown.append(...CLASSES.map((name) => new Option(name)));
shown.addEventListener("change", () =>
  change({ ...state, shown: CLASSES.find((name) => name === shown.value) ?? state.shown }),
);
addEventListener("hashchange", fromAddress);
fromAddress();
tell("ready");
