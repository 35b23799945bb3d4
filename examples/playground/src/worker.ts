// Computes what the page shows, beside it, so that typing never waits.

import { lint, PolicyJson } from "redress/lint";
import { delaysOf } from "./delays.js";
import type { Answer, Job } from "./job.js";
import { BINS, Outage } from "./outage.js";
import { guarded, unguarded } from "./policy.js";

/** How long it computes before it looks whether there is a newer job, in milliseconds. */
const SLICE_MS = 40;

let newest = 0;

addEventListener("message", ({ data }: MessageEvent<Job>) => {
  newest = data.id;
  run(data).catch((error: unknown) => send({ id: data.id, kind: "broken", message: String(error) }));
});

async function run({ id, state }: Job): Promise<void> {
  const { settings, scene, shown } = state;
  const findings = lint(new PolicyJson(settings)).map(({ severity, field, value, message, ...finding }) => ({
    ...finding,
    severity,
    field,
    // What is sent may not have functions in it.
    value: String(value),
    beside: undefined,
    message,
  }));
  send({ id, kind: "findings", findings });
  if (findings.some(({ severity }) => severity === "error")) return;
  const hint = shown === "RATE_LIMIT" && scene.retryAfterMs !== null ? { retryAfterMs: scene.retryAfterMs } : {};
  send({ id, kind: "delays", delays: delaysOf(settings, { class: shown, ...hint }) });
  const initialMs = settings["retry"]?.initialDelayMs;
  const runs = [guarded, unguarded].map((make) => new Outage(scene, (source) => make(settings, source), initialMs));
  const [first, second] = runs as [Outage, Outage];
  let sliceMs = performance.now();
  for (;;) {
    // The one that is behind.
    const [next] = runs.filter(({ isOver }) => !isOver).sort((a, b) => a.bins - b.bins);
    next?.step();
    if (next !== undefined && performance.now() - sliceMs < SLICE_MS) continue;
    // What comes after the last bin is a part of it, too.
    const share = next === undefined ? 1 : Math.min(first.bins, second.bins) / (BINS + 1);
    send({ id, kind: "courses", share, courses: { guarded: first.course, unguarded: second.course } });
    if (next === undefined) return;
    await turn();
    if (newest !== id) return;
    sliceMs = performance.now();
  }
}

function send(answer: Answer): void {
  postMessage(answer);
}

/** Lets a newer job come in. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
