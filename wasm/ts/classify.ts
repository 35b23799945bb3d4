// What a thrown value is.

import type { Classification, ErrorClass } from "./types.js";

const BY_STATUS: Record<number, ErrorClass> = {
  400: "PERMANENT", 401: "AUTH", 403: "PERMISSION", 404: "PERMANENT", 408: "TRANSIENT", 409: "CONCURRENCY", 422: "PERMANENT", 429: "RATE_LIMIT",
};

function byDefault(error: unknown): Classification {
  const status = (error as { status?: number } | null | undefined)?.status;
  if (typeof status !== "number") return { class: "UNKNOWN" };
  return { class: BY_STATUS[status] ?? (status >= 500 ? "SERVER_ERROR" : "UNKNOWN") };
}

export const classify = { default: byDefault, strict: byDefault, http: byDefault };
