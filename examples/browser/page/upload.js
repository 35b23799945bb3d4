// Sends a file in pieces; each piece is a call under one policy.

import { Budget, backoff, classify, Policy } from "redress";

const PIECE_BYTES = 64 * 1024;
const AT_ONCE = 3;

const pieces = new Policy({
  retry: {
    resultClassifier: classify.http,
    strategy: backoff.decorrelatedJitter({ baseMs: 100, maxMs: 2_000 }),
    strategies: { RATE_LIMIT: backoff.retryAfterOr(backoff.constant(1_000), { jitterMs: 100 }) },
    maxAttempts: 8,
    deadlineMs: 30_000,
    attemptTimeoutMs: 5_000,
    budget: new Budget({ maxRetries: 200, windowMs: 60_000 }),
  },
});

/**
 * Uploads `file`. `tell` is called for every attempt and delay:
 * `{ piece, kind: "start" | "end" | "wait", result?, waitMs? }`.
 */
export async function upload(file, { signal, tell }) {
  const count = Math.max(1, Math.ceil(file.size / PIECE_BYTES));
  const name = encodeURIComponent(file.name);
  let next = 0;

  async function sendPieces() {
    while (next < count) {
      const piece = next++;
      const body = file.slice(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
      await pieces.call(
        (attempt) => fetch(`/upload/${name}/${piece}`, { method: "PUT", body, signal: attempt.signal }),
        {
          signal,
          operation: `PUT piece ${piece}`,
          onAttemptStart: () => tell({ piece, count, kind: "start" }),
          onAttemptEnd: ({ decision, class: failure }) => {
            const failed = failure === "RATE_LIMIT" ? "limited" : "failed";
            const result = { success: "sent", aborted: "cancelled" }[decision] ?? failed;
            tell({ piece, count, kind: "end", result });
          },
          beforeSleep: (_context, waitMs) => tell({ piece, count, kind: "wait", waitMs }),
        },
      );
    }
  }

  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, sendPieces));
}
