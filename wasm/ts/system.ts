// Errors of the operating system, by the codes that Node, Deno and Bun give them. The classes are those of the core for
// `std::io`, against which the tests hold them.

import { read } from "./facts.js";
import type { Classification, ErrorClass } from "./types.js";

const CODES: readonly (readonly [ErrorClass, readonly string[]])[] = [
  ["TRANSIENT", ["EADDRNOTAVAIL", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "EINTR"]],
  ["TRANSIENT", ["ENETDOWN", "ENETUNREACH", "ENOTCONN", "EPIPE", "ETIMEDOUT"]],
  ["PERMISSION", ["EACCES", "EPERM", "EROFS"]],
  ["CONCURRENCY", ["EADDRINUSE", "EAGAIN", "EBUSY", "EDEADLK", "EEXIST", "ESTALE", "ETXTBSY", "EWOULDBLOCK"]],
  ["RATE_LIMIT", ["EDQUOT"]],
  ["SERVER_ERROR", ["ENOMEM", "ENOSPC"]],
  ["PERMANENT", ["E2BIG", "EFBIG", "EINVAL", "EISDIR", "EMLINK", "ENAMETOOLONG", "ENOENT", "ENOSYS", "ENOTDIR"]],
  ["PERMANENT", ["ENOTEMPTY", "ENOTSUP", "EOPNOTSUPP", "ESPIPE", "EXDEV"]],
];

/** The class of a code of the operating system, of an error or of its cause; undefined if there is none. */
export function systemClass(error: unknown): Classification | undefined {
  for (const one of [error, read(error, "cause")]) {
    const code = read(one, "code");
    const found = CODES.find(([, names]) => names.includes(code as string));
    if (found !== undefined) return { class: found[0] };
  }
  return undefined;
}
