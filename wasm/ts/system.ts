// What the platform itself throws: errors of the operating system, by the codes that Node, Deno and Bun give them, and
// DOMExceptions by their names. The classes of codes are those of the core for `std::io`, against which the tests hold them.

import { byDefault } from "./defaults.js";
import { read } from "./facts.js";
import type { Classification, ErrorClass } from "./types.js";

type Table = readonly (readonly [ErrorClass, readonly string[]])[];

const CODES: Table = [
  ["TRANSIENT", ["EADDRNOTAVAIL", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "EINTR"]],
  ["TRANSIENT", ["ENETDOWN", "ENETUNREACH", "ENOTCONN", "EPIPE", "ETIMEDOUT"]],
  ["PERMISSION", ["EACCES", "EPERM", "EROFS"]],
  ["CONCURRENCY", ["EADDRINUSE", "EAGAIN", "EBUSY", "EDEADLK", "EEXIST", "ESTALE", "ETXTBSY", "EWOULDBLOCK"]],
  ["RATE_LIMIT", ["EDQUOT"]],
  ["SERVER_ERROR", ["ENOMEM", "ENOSPC"]],
  ["PERMANENT", ["E2BIG", "EFBIG", "EINVAL", "EISDIR", "EMLINK", "ENAMETOOLONG", "ENOENT", "ENOSYS", "ENOTDIR"]],
  ["PERMANENT", ["ENOTEMPTY", "ENOTSUP", "EOPNOTSUPP", "ESPIPE", "EXDEV"]],
];

/** By the names of Web IDL; TimeoutError and NetworkError are the default rules' own. */
const NAMES: Table = [
  ["TRANSIENT", ["NotReadableError"]],
  ["PERMISSION", ["NotAllowedError", "SecurityError", "NoModificationAllowedError", "ReadOnlyError"]],
  ["CONCURRENCY", ["InUseAttributeError", "TransactionInactiveError"]],
  ["RATE_LIMIT", ["QuotaExceededError"]],
  ["PERMANENT", ["ConstraintError", "DataCloneError", "DataError", "EncodingError", "InvalidAccessError", "InvalidCharacterError"]],
  ["PERMANENT", ["InvalidNodeTypeError", "InvalidStateError", "NamespaceError", "NotFoundError", "NotSupportedError", "SyntaxError"]],
  ["PERMANENT", ["URLMismatchError", "VersionError", "WrongDocumentError"]],
];

/** The class of a code of the operating system, of an error or of its cause; undefined if there is none. */
function systemClass(error: unknown): Classification | undefined {
  for (const one of [error, read(error, "cause")]) {
    const code = read(one, "code");
    const found = CODES.find(([, names]) => names.includes(code as string));
    if (found !== undefined) return { class: found[0] };
  }
  return undefined;
}

/** The class of a DOMException, of whichever realm; undefined for other errors and names. */
function domClass(error: unknown): Classification | undefined {
  if (read(error, Symbol.toStringTag) !== "DOMException") return undefined;
  const name = read(error, "name");
  const found = NAMES.find(([, names]) => names.includes(name as string));
  return found && { class: found[0] };
}

/**
 * The default rules, then what the platform throws: all codes of the operating system, of files too (ENOENT, EBUSY), and the
 * names of DOMExceptions (QuotaExceededError, NotAllowedError).
 */
export function system(error: unknown): Classification {
  const found = byDefault(error);
  return found.class === "UNKNOWN" ? (systemClass(error) ?? domClass(error) ?? found) : found;
}
