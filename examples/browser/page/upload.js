// Sends a file in pieces; each piece is a call under one policy.

import { Budget, backoff, CircuitBreaker, Keyed, KeyedPolicy, redressFetch } from "redress";

const PIECE_BYTES = 64 * 1024;
const AT_ONCE = 3;

// Each host that pieces are sent to has a breaker of its own.
const pieces = new KeyedPolicy({
  retry: {
    strategy: backoff.decorrelatedJitter({ baseMs: 100, maxMs: 2_000 }),
    strategies: { RATE_LIMIT: backoff.retryAfterOr(backoff.constant(1_000), { jitterMs: 100 }) },
    maxAttempts: 8,
    deadlineMs: 30_000,
    attemptTimeoutMs: 5_000,
    budget: new Budget({ maxRetries: 200 }),
  },
  circuitBreaker: new Keyed(CircuitBreaker, { capacity: 10 }),
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
      const send = redressFetch(pieces, {
        onAttemptStart: () => tell({ piece, count, kind: "start" }),
        onAttemptEnd: ({ decision, class: failure }) => {
          const failed = failure === "RATE_LIMIT" ? "limited" : "failed";
          const result = { success: "sent", aborted: "cancelled" }[decision] ?? failed;
          tell({ piece, count, kind: "end", result });
        },
        beforeSleep: (_context, waitMs) => tell({ piece, count, kind: "wait", waitMs }),
      });
      const body = file.slice(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
      const { ok, status } = await send(`/upload/${name}/${piece}`, { method: "PUT", body, signal });
      if (!ok) throw new Error(`the server answers ${status}`);
    }
  }

  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, sendPieces));
}
