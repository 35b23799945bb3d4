// The pairs of wasm/docs/coming-from.md: what stands there beside another library does what that does, against the same upstream and on
// the same time, but for what is said beside it.

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HERE } from "./consumer.mjs";
import { borrowPeers, PAIRED, snippets } from "./readme.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

/** What the upstream does, the last step again and again. */
const SCENARIOS = {
  "answers at once": { script: ["200"] },
  "answers after two failures": { script: ["error", "error", "200"] },
  "has a plain error each time": { script: ["error"] },
  "refuses each connection": { script: ["refused"] },
  "answers 503 each time": { script: ["503"] },
  "answers 404": { script: ["404"] },
  "asks to come back in two seconds": { script: ["429;retry-after=2", "200"] },
  "asks to come back in an hour": { script: ["429;retry-after=3600", "200"] },
};
const FAILING = { script: ["error"], calls: 8 };

/** Theirs are drawn at random by another formula. */
const NO_WAITS = ["waits", "took"];

/**
 * By library: scenarios besides, what of an answer differs everywhere, and by scenario what differs on purpose: theirs,
 * ours, and the words of the page about it.
 */
const PAIRS = {
  cockatiel: {
    besides: { "is down for eight calls": FAILING },
    random: NO_WAITS,
    differing: {
      "is down for eight calls": [
        { requests: 20, name: "Error", thrown: "Execution prevented because the circuit breaker is open" },
        { requests: 20, name: "CircuitOpenError", thrown: "circuit is open, next probe in 30000 ms" },
        "`BrokenCircuitError` is `CircuitOpenError`",
      ],
    },
  },
  "p-retry": {
    besides: { "is called by a program that is wrong": { script: ["bug"] } },
    differing: {
      "answers 404": [
        { requests: 1, name: "Error", thrown: "there are none" },
        { requests: 1, name: "AbortRetryError", thrown: "there are none" },
        "What `AbortError` wraps is the `AbortRetryError` itself",
      ],
      "is called by a program that is wrong": [
        { requests: 1, name: "TypeError", thrown: "x is not a function" },
        { requests: 6, name: "TypeError", thrown: "x is not a function" },
        "A TypeError of your own program is thrown at once by p-retry",
      ],
    },
  },
  opossum: {
    besides: {
      "is down for eight calls": FAILING,
      "is down for half of eight calls": {
        script: ["200", "error", "200", "error", "200", "error", "200", "error"],
        calls: 8,
      },
      "is not called after open() by hand, until close()": { script: ["200"], calls: 3, byHand: true, closes: 2 },
      "hangs, and its time is over": { script: ["hang"] },
    },
    differing: {},
  },
  ky: {
    besides: { "hangs, and its time is over": { script: ["hang"] } },
    differing: {
      "answers 503 each time": [
        {
          requests: 3,
          name: "HTTPError",
          thrown: "Request failed with status code 503: GET https://api.example.com/items",
        },
        { requests: 3, name: "Error", thrown: "status 503" },
        "no `HTTPError` is thrown unless you throw",
      ],
      "answers 404": [
        {
          requests: 1,
          name: "HTTPError",
          thrown: "Request failed with status code 404: GET https://api.example.com/items",
        },
        { requests: 1, name: "Error", thrown: "status 404" },
        "no `HTTPError` is thrown unless you throw",
      ],
      "refuses each connection": [
        {
          requests: 3,
          name: "NetworkError",
          thrown: "Request failed due to a network error: GET https://api.example.com/items",
        },
        { requests: 3, name: "TypeError", thrown: "fetch failed" },
        "A network error is fetch's own",
      ],
      "asks to come back in an hour": [
        { requests: 2 },
        { requests: 1, name: "Error", thrown: "status 429" },
        "a hint longer than the deadline ends the call at once",
      ],
      "hangs, and its time is over": [
        { requests: 1, name: "TimeoutError", thrown: "Request timed out: GET https://api.example.com/items" },
        { requests: 3, name: "TimeoutError", thrown: "the attempt took longer than 10000 ms" },
        "An attempt whose time is over is retried, where ky throws",
      ],
    },
  },
  "axios-retry": {
    besides: { "hangs, and its time is over": { script: ["hang"] } },
    differing: {
      "hangs, and its time is over": [
        { requests: 1, name: "AxiosError", thrown: "timeout of 5000ms exceeded" },
        { requests: 1, name: "TimeoutError", thrown: "the attempt took longer than 5000 ms" },
        "which ends an attempt by its `signal` with a `TimeoutError`",
      ],
    },
  },
  "async-retry": {
    differing: {
      "answers 404": [
        { requests: 1, name: "Error", thrown: "there are none" },
        { requests: 1, name: "AbortRetryError", thrown: "there are none" },
        "`bail` is an `AbortRetryError`",
      ],
    },
  },
  "exponential-backoff": { differing: {} },
  "@lifeomic/attempt": {
    besides: { "hangs, and its time is over": { script: ["hang"] } },
    differing: {
      "hangs, and its time is over": [
        { requests: 1, name: "Error", thrown: "Retry timeout (attemptNum: 0, timeout: 3000)" },
        { requests: 4, name: "TimeoutError", thrown: "the attempt took longer than 3000 ms" },
        "attempt rejects at once and leaves it running; here its `signal` is aborted, and a retry follows",
      ],
    },
  },
};

/** Runs each pair in each scenario; a result for both together. */
export async function checkPeers({ project, filter }) {
  const folder = borrowPeers(join(project, "pairs"));
  copyFileSync(join(HERE, "lab", "programs", "peer.mjs"), join(folder, "peer.mjs"));
  const [, ...sections] = readFileSync(PAIRED, "utf8").split(/^## /m);
  const results = [];
  const known = sections.map((section) => section.slice(0, section.indexOf("\n")));
  for (const name of [...new Set([...known, ...Object.keys(PAIRS)])]) {
    const section = sections[known.indexOf(name)];
    const pair = PAIRS[name];
    if (section === undefined || pair === undefined) {
      results.push({ name: `pairs: ${name} has a pair that is compared`, error: "it has none" });
      continue;
    }
    const programs = snippets(section).map(({ code }, at) =>
      program(folder, `${name.replaceAll(/\W/g, "-")}-${at}`, code),
    );
    for (const [upstream, scenario] of Object.entries({ ...SCENARIOS, ...pair.besides })) {
      const title = `pairs: ${name} and redress do the same where the upstream ${upstream}`;
      if (!title.includes(filter)) continue;
      const [theirs, ours] = await Promise.all(programs.map((file) => played(file, scenario, folder)));
      results.push({ name: title, error: compared(theirs, ours, pair, upstream, section) });
    }
  }
  return results;
}

/** The snippet as a module: what it prints in the end is what `run` answers; what it was made of is `made`. */
function program(folder, name, code) {
  const file = join(folder, `${name}.mjs`);
  const body = code
    .replace(/^console\.log\(await (.*)\);$/m, (_, last) => `export const run = async () => await ${last};`)
    .replace(/^breaker\.shutdown\(\);$/m, "");
  const made = `typeof breaker === "undefined" ? (typeof policy === "undefined" ? undefined : policy) : breaker`;
  writeFileSync(file, `${body}\nexport const made = ${made};\n`);
  return file;
}

async function played(file, scenario, cwd) {
  const command = [...commandOf("node-24"), join(cwd, "peer.mjs"), file, JSON.stringify(scenario)];
  const { code, stdout, stderr } = await run(command, { cwd, limitMs: 20_000 });
  return code === 0 ? JSON.parse(stdout) : { error: `exit code ${code}\n${stdout}${stderr}` };
}

/** Null if they are the same, or differ as it is said. */
function compared(theirs, ours, { random = [], differing }, upstream, section) {
  if (theirs.error !== undefined || ours.error !== undefined) return theirs.error ?? ours.error;
  const said = differing[upstream];
  if (said !== undefined) {
    const [they, we, words] = said;
    const wrong = [
      [theirs, they],
      [ours, we],
    ].filter(([found, expected]) => !isDifferent(found, expected));
    if (wrong.length > 0) return JSON.stringify(wrong, null, 1);
    return section.replaceAll(/\s+/g, " ").includes(words) ? null : `the page does not say: ${words}`;
  }
  const plain = ({ answers, printed }) =>
    JSON.stringify({
      printed,
      answers: answers.map(({ waits, took, ...answer }) => ({
        ...answer,
        requests: waits.length,
        ...(random.includes("waits") ? {} : { waits, took }),
      })),
    });
  return plain(theirs) === plain(ours) ? null : `theirs ${plain(theirs)}\nours   ${plain(ours)}`;
}

/** Whether the number of requests and what was thrown last are as expected. */
function isDifferent({ answers }, { requests, name, thrown }) {
  const last = answers.at(-1);
  const all = answers.reduce((sum, { waits }) => sum + waits.length, 0);
  return all === requests && last.name === name && last.thrown === thrown;
}
