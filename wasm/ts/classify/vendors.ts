// The classifiers of databases, gRPC, AWS and Redis.

import type { Classification } from "../types.js";
import * as module from "../wasm/modules/vendors.js";
import { nameOf, read } from "./facts.js";
import { Tables } from "./tables.js";

const TABLES = /* @__PURE__ */ new Tables(module);

/** What a database says: its SQLSTATE, its code, or a state in its message. */
function said(error: unknown) {
  return { message: read(error, "message"), sqlstate: read(error, "sqlstate") ?? read(error, "code") };
}

/** By SQLSTATE: in `sqlstate`, `code` or the message. */
export function sqlstate(error: unknown): Classification {
  return TABLES.classify(0, error, said(error));
}

/** The same as ODBC drivers have it. */
export function odbc(error: unknown): Classification {
  return TABLES.classify(1, error, said(error));
}

/** By the name of a gRPC status in `grpc`, and by its message where that says more. */
export function grpc(error: unknown): Classification {
  return TABLES.classify(2, error, { grpc: read(error, "grpc"), message: read(error, "message") });
}

/** By the codes of AWS, and the status in `$metadata`. */
export function aws(error: unknown): Classification {
  const status = read(error, "status") ?? read(read(error, "$metadata"), "httpStatusCode");
  return TABLES.classify(3, error, { status, aws: read(error, "Code") ?? nameOf(error) });
}

/** By what a Redis server begins its message with. */
export function redis(error: unknown): Classification {
  return TABLES.classify(4, error, { message: read(error, "message") });
}
