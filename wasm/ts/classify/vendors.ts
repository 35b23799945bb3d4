// The classifiers of databases, gRPC, AWS and Redis.

import type { Classification } from "../types.js";
import * as module from "../wasm/modules/vendors.js";
import { anyCode, branded, clientMessage } from "./codes.js";
import { nameOf, read } from "./facts.js";
import { isGrpc, pushback } from "./grpc.js";
import { Tables } from "./tables.js";
import { classified, type Look } from "./wrapped.js";

const TABLES = /* @__PURE__ */ new Tables(module);

/** What a database says: its SQLSTATE, its code, or a state in its message. */
function said(error: unknown) {
  return { message: read(error, "message"), sqlstate: read(error, "sqlstate") ?? read(error, "code") };
}

/** One error: what the package says itself, by a code of the family, or of a connection. */
const one =
  (code: Look): Look =>
  (error) =>
    branded(error) ?? code(error) ?? anyCode(error);

/** The class of a code that is an SQLSTATE. */
export function sqlstateCode(error: unknown): Classification | undefined {
  const state = read(error, "sqlstate") ?? read(error, "sqlState") ?? read(error, "code");
  return typeof state === "string" && state.length === 5 ? TABLES.lookup(5, error, { sqlstate: state }) : undefined;
}

/** By SQLSTATE: in `sqlstate`, `sqlState`, `code` or the message. */
export function sqlstate(error: unknown): Classification {
  return classified(error, one(sqlstateCode), (error) => TABLES.classify(0, error, said(error)), clientMessage);
}

/** The same as ODBC drivers have it. */
export function odbc(error: unknown): Classification {
  return classified(error, one(sqlstateCode), (error) => TABLES.classify(1, error, said(error)), clientMessage);
}

/** The class of a gRPC client's error: where the server asks for no further attempt, that is so. */
export function grpcCode(error: unknown): Classification | undefined {
  if (!isGrpc(error)) return undefined;
  const message = read(error, "details");
  const found = TABLES.lookup(6, undefined, {
    code: read(error, "code"),
    message: typeof message === "string" ? message : read(error, "message"),
  });
  const waitMs = pushback(error);
  if (waitMs === undefined) return found;
  if (waitMs < 0) return { class: "PERMANENT" };
  return { class: found?.class ?? "UNKNOWN", retryAfterMs: waitMs };
}

/** By the code of an error of a gRPC client, or the name of a status in `grpc`, and by its message where that says more; with the delay that the server asks for. */
export function grpc(error: unknown): Classification {
  return classified(error, one(grpcCode), (error) =>
    TABLES.classify(2, error, { grpc: read(error, "grpc"), message: read(error, "message") }),
  );
}

/** The class of an error of AWS by its code, then by its status. */
export function awsCode(error: unknown): Classification | undefined {
  const metadata = read(error, "$metadata");
  const isAws = metadata !== undefined || read(error, "$fault") !== undefined || read(error, "Code") !== undefined;
  if (!isAws) return undefined;
  const status = read(error, "status") ?? read(metadata, "httpStatusCode");
  return TABLES.lookup(3, error, { status, aws: read(error, "Code") ?? nameOf(error) });
}

/** By the codes of AWS, and the status in `$metadata`. */
export function aws(error: unknown): Classification {
  return classified(error, one(awsCode), (error) => {
    const status = read(error, "status") ?? read(read(error, "$metadata"), "httpStatusCode");
    return TABLES.classify(3, error, { status, aws: read(error, "Code") ?? nameOf(error) });
  });
}

/** The class of what a Redis server replies. */
export function redisReply(error: unknown): Classification | undefined {
  return TABLES.lookup(7, error, { message: read(error, "message") });
}

/** By what a Redis server begins its message with. */
export function redis(error: unknown): Classification {
  return classified(
    error,
    one(redisReply),
    (error) => TABLES.classify(4, error, { message: read(error, "message") }),
    clientMessage,
  );
}
