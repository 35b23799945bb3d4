// A hundred jobs with faults, whatever their queue is: what they meet, and the policy of each.

import { backoff, Policy } from "redress";

export const COUNT = 100;

export const HINT_MS = 1_000;

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
  // Its second delay does not fit before its deadline.
  { says: answers(503), attempts: 2, end: "DEADLINE_EXCEEDED", delays: [150, 61_000] },
  { says: answers(429, 200), attempts: 2, end: "done", delays: [HINT_MS] },
  { says: answers("reset", 200), attempts: 2, end: "done" },
  { says: answers(429), attempts: 1, end: "DEADLINE_EXCEEDED", deadlineMs: 900 },
  { says: answers(503, 503, 200), attempts: 3, end: "done" },
];

export const kindOf = (id) => KINDS[id % KINDS.length];
/** The delay after a job's n-th failure, in milliseconds. */
export const delayAfter = (id, attempt) => kindOf(id).delays?.[attempt - 1] ?? attempt * 150;

/** The policy of a job, as each worker has it. */
const policies = KINDS.map(
  ({ deadlineMs = 60_000 }, id) =>
    new Policy({
      retry: {
        strategy: backoff.retryAfterOr(({ attempt }) => delayAfter(id, attempt)),
        maxAttempts: 4,
        deadlineMs,
      },
    }),
);
export const policyOf = (id) => policies[id % KINDS.length];

/** What each job does: a request that says which attempt it is, how long the call has left, and who sends it; its status. */
export async function ask(url, id, { attempt, remainingMs, signal }, worker) {
  const headers = {
    "x-job": String(id),
    "x-attempt": String(attempt),
    "x-left": String(remainingMs),
    "x-worker": worker,
  };
  const response = await fetch(url, { headers, signal });
  await response.arrayBuffer();
  if (response.ok) return response.status;
  const hint = response.headers.get("retry-after");
  const retryAfterMs = hint === null ? undefined : Number(hint) * 1_000;
  throw Object.assign(new Error(`status ${response.status}`), { status: response.status, retryAfterMs });
}
