// One case of classifiers.json: what is it called here, and is it classified as expected?

import { ConcurrencyError, classify, PermanentError, RateLimitError, ServerError } from "redress";

const MARKERS = {
  timeout: () => new DOMException("slow", "TimeoutError"),
  permanent: () => new PermanentError("no"),
  rate_limit: () => new RateLimitError("slow down"),
  concurrency: () => new ConcurrencyError("again"),
  server_error: () => new ServerError("oops"),
};

/** In JavaScript a name is what tells these types apart, so that a mere name cannot be tried. */
const TYPES = ["TimeoutError", "PermanentError", "RateLimitError", "ConcurrencyError", "ServerError"];

/** What users of the reference call them, and what they are here. */
const CLASSIFIERS = {
  default: classify.default,
  strict: classify.strict,
  http: classify.http,
  http_retry_after: classify.http,
  sqlstate: classify.sqlstate,
  pyodbc: classify.odbc,
  grpc: classify.grpc,
  boto3: classify.aws,
};

/** Whether JavaScript has such a classifier and such an error. */
export function exists({ classifier, error }) {
  // Arguments of a constructor are nothing that an error of JavaScript keeps, and what a
  // library's types descend from, or a status that an error lacks, is nothing that it shows.
  const shown = error.args === undefined && error.library === undefined && error.grpc !== null;
  // The SDK for JavaScript has its codes as names, so that a name is always a code.
  if (classifier === "boto3" && error.aws_error === undefined) return false;
  return classifier in CLASSIFIERS && shown && !TYPES.includes(error.name);
}

function described(spec) {
  const { marker, name, status, status_code: statusCode, code, retry_after: retryAfter, headers, message = "" } = spec;
  const { sqlstate, grpc, aws_error: aws } = spec;
  const error = marker === undefined ? new Error(message) : MARKERS[marker]();
  const fields = { name, status, statusCode, code, retryAfter, headers, sqlstate, grpc };
  if (aws !== undefined && aws !== null) {
    fields.Code = aws.code ?? "";
    fields.$metadata = { httpStatusCode: aws.status ?? undefined };
  }
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    Object.defineProperty(error, field, { value, configurable: true });
  }
  return error;
}

/** In words how the classification differs from the expected one, or null. */
export function difference({ classifier, error, expect }) {
  const kept = Date.now;
  if (error.now_unix_s !== undefined) Date.now = () => error.now_unix_s * 1_000;
  let got;
  try {
    got = CLASSIFIERS[classifier](described(error));
  } finally {
    Date.now = kept;
  }
  const { class: name, retryAfterMs } = typeof got === "string" ? { class: got } : got;
  if (name !== expect.class) return `class ${name}, expected ${expect.class}`;
  if (!classifier.endsWith("retry_after")) return null;
  const { retry_after_us: want, retry_after_at_least_us: least } = expect;
  const gotUs = retryAfterMs === undefined || retryAfterMs === null ? undefined : Math.round(retryAfterMs * 1_000);
  const right = least === undefined ? gotUs === want : gotUs >= Math.min(least, 2 ** 53 - 1);
  return right ? null : `Retry-After ${gotUs} us, expected ${want ?? `at least ${least}`}`;
}
