// A hundred jobs with faults, whatever their queue is: what they ask of an upstream, what that answers and whom it has killed,
// and what a policy says of each.

import { once } from "node:events";
import { createServer } from "node:http";
import { backoff, Policy } from "redress";
import { assert } from "./harness.mjs";

export const COUNT = 100;

/** The delay after the n-th failure, in milliseconds. */
const delayAfter = (attempt) => attempt * 150;
const HINT_MS = 1_000;
/** How long a worker may take to write down what it was answered, on a busy machine. */
const UNWRITTEN_MS = 2_000;

const answers =
  (...statuses) =>
  (attempt) =>
    statuses[attempt - 1] ?? statuses.at(-1);

/** What a job meets, by its number: what is answered to each attempt, how many there are, and how it ends. */
const KINDS = [
  { says: answers(200), attempts: 1, end: "done" },
  { says: answers(503, 200), attempts: 2, end: "done" },
  { says: answers(503, 503, 503, 200), attempts: 4, end: "done" },
  { says: answers(503), attempts: 4, end: "MAX_ATTEMPTS_GLOBAL" },
  { says: answers(404), attempts: 1, end: "NON_RETRYABLE_CLASS" },
  // 150 ms fit into its deadline, and 300 more do not.
  { says: answers(503), attempts: 2, end: "DEADLINE_EXCEEDED", deadlineMs: 430 },
  { says: answers(429, 200), attempts: 2, end: "done", delayMs: HINT_MS },
  { says: answers("reset", 200), attempts: 2, end: "done" },
  { says: answers(429), attempts: 1, end: "DEADLINE_EXCEEDED", deadlineMs: 900 },
  { says: answers(503, 503, 200), attempts: 3, end: "done" },
];

export const kindOf = (id) => KINDS[id % KINDS.length];

/** The policy of a job, as each worker has it. */
const policies = KINDS.map(
  ({ deadlineMs = 60_000 }) =>
    new Policy({
      retry: {
        strategy: backoff.retryAfterOr(({ attempt }) => delayAfter(attempt)),
        maxAttempts: 4,
        deadlineMs,
      },
    }),
);
export const policyOf = (id) => policies[id % KINDS.length];

/** What each job does: a request that says which attempt it is, how long the call has left, and who sends it. */
export async function ask(url, id, { attempt, remainingMs, signal }, worker) {
  const headers = {
    "x-job": String(id),
    "x-attempt": String(attempt),
    "x-left": String(remainingMs),
    "x-worker": worker,
  };
  const response = await fetch(url, { headers, signal });
  await response.arrayBuffer();
  if (response.ok) return;
  const hint = response.headers.get("retry-after");
  const retryAfterMs = hint === null ? undefined : Number(hint) * 1_000;
  throw Object.assign(new Error(`status ${response.status}`), { status: response.status, retryAfterMs });
}

/** The upstream. `kills` has whom a job's attempt kills: `${id}/${attempt}`, once; `onKill` gets the worker's name. */
export async function startUpstream({ cleanup }, kills = [], onKill = () => {}) {
  const left = new Set(kills);
  const upstream = { requests: [], killed: new Map(), url: "" };
  const server = createServer((request, response) => {
    const of = (name) => request.headers[`x-${name}`];
    const [id, attempt, worker] = [Number(of("job")), Number(of("attempt")), of("worker")];
    const asked = { id, attempt, worker, leftMs: Number(of("left")), at: Date.now() };
    upstream.requests.push(asked);
    if (left.delete(`${id}/${attempt}`)) {
      upstream.killed.set(worker, Date.now());
      onKill(worker);
      return;
    }
    const status = kindOf(id).says(attempt);
    if (status === "reset") return void response.destroy();
    if (status === 429) response.setHeader("retry-after", HINT_MS / 1_000);
    response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  upstream.url = `http://127.0.0.1:${server.address().port}/`;
  return upstream;
}

/**
 * Whether `ends`, how each job has ended by its number, and what was asked is what the policy says. With `copies` a worker may
 * be killed after it has sent a copy and before it has acknowledged the message: both go on.
 */
export function checkJobs({ requests, killed }, ends, { copies = false } = {}) {
  assert.equal(ends.size, COUNT, `${COUNT - ends.size} jobs are lost`);
  for (let id = 0; id < COUNT; id += 1) {
    const { attempts, end, delayMs } = kindOf(id);
    assert.equal(ends.get(id), end, `the end of job ${id}`);
    const own = requests.filter((request) => request.id === id);
    const told = `job ${id}: ${own.map(({ attempt, worker, at }) => `${attempt} by ${worker} at ${at - own[0].at}`).join(", ")}`;
    assert.equal(own[0].attempt, 1, told);
    assert.equal(Math.max(...own.map(({ attempt }) => attempt)), attempts, told);
    for (const [at, next] of own.entries()) {
      const before = own.slice(0, at);
      // What a killed worker did not come to write down is done again; nothing else is. A request may arrive after its sender's end.
      const last = before.findLast(({ attempt }) => attempt === next.attempt);
      const isAgain = (one) => killed.get(one.worker) - one.at < UNWRITTEN_MS;
      assert.ok(last === undefined || (copies ? before.some(isAgain) : isAgain(last)), `${told}: made twice`);
      if (next.attempt === 1) continue;
      const delay = delayMs ?? delayAfter(next.attempt - 1);
      const follows = (one) => {
        const spent = one.leftMs - next.leftMs;
        return one.attempt === next.attempt - 1 && next.at - one.at >= delay - 2 && spent >= delay && spent < delay + 5_000;
      };
      assert.ok(before.some(follows), `${told}: attempt ${next.attempt} is not ${delay} ms after one before`);
    }
  }
}
