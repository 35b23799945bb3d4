// What a gRPC client's error says beside its code: after how long the server wants the next attempt, if at all.

import { number, read } from "./facts.js";

/** Whether it is an error of @grpc/grpc-js, which has details and metadata beside its code, or of Connect. */
export function isGrpc(one: unknown): boolean {
  const code = read(one, "code");
  if (typeof code !== "number" || code < 0 || code > 16) return false;
  const metadata = read(one, "metadata");
  if (typeof metadata !== "object" || metadata === null) return false;
  return typeof read(one, "details") === "string" || typeof read(one, "rawMessage") === "string";
}

/** How long the server asks to wait, in milliseconds; negative if it asks for no further attempt (gRFC A6). */
export function pushback(one: unknown): number | undefined {
  const [said] = metadata(one, "grpc-retry-pushback-ms");
  // What is no number means no further attempt, too.
  if (said !== undefined) return /^-?\d+$/.test(String(said)) ? Number(said) : -1;
  for (const { type, value } of details(one)) {
    if (/(^|\/)google\.rpc\.RetryInfo$/.test(type)) return retryDelay(value);
  }
  return undefined;
}

/** The values of a key: of grpc-js, whose metadata has lists, or of Connect, whose metadata are headers. */
function metadata(one: unknown, key: string): unknown[] {
  try {
    const found = (read(one, "metadata") as { get(key: string): unknown }).get(key);
    return Array.isArray(found) ? found : found === null || found === undefined ? [] : [found];
  } catch {
    return [];
  }
}

interface Detail {
  readonly type: string;
  readonly value: Uint8Array;
}

/** The details of a status: Connect has them in a list, grpc-js as a google.rpc.Status in the trailers. */
function details(one: unknown): Detail[] {
  const list = read(one, "details");
  if (Array.isArray(list)) {
    return list.filter((detail) => read(detail, "value") instanceof Uint8Array && typeof detail.type === "string");
  }
  const [status] = metadata(one, "grpc-status-details-bin");
  if (!(status instanceof Uint8Array)) return [];
  return fields(status)
    .filter(([field]) => field === 3)
    .map(([, any]) => {
      const parts = any instanceof Uint8Array ? fields(any) : [];
      const of = (field: number) => parts.find(([at]) => at === field)?.[1];
      const [type, value] = [of(1), of(2)];
      const bytes = (part: unknown) => (part instanceof Uint8Array ? part : new Uint8Array());
      return { type: String.fromCharCode(...bytes(type).subarray(0, 256)), value: bytes(value) };
    });
}

/** The delay of a google.rpc.RetryInfo: a Duration in its first field, seconds and nanoseconds. */
function retryDelay(info: Uint8Array): number | undefined {
  const delay = fields(info).find(([field]) => field === 1)?.[1];
  if (!(delay instanceof Uint8Array)) return undefined;
  const parts = fields(delay);
  const of = (field: number) => number(parts.find(([at]) => at === field)?.[1] ?? 0);
  const ms = of(1) * 1_000 + of(2) / 1_000_000;
  // Numbers that do not fit are no delay; a negative one has the highest bit of 64.
  return ms <= Number.MAX_SAFE_INTEGER ? ms : undefined;
}

/** The fields of a message of protobuf, by their numbers: integers and bytes; the rest is passed over. */
function fields(bytes: Uint8Array): [number, number | Uint8Array][] {
  const found: [number, number | Uint8Array][] = [];
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, kind] = [Math.floor(key / 8), key % 8];
    if (kind === 0) found.push([field, varint()]);
    else if (kind === 2) {
      const length = varint();
      found.push([field, bytes.subarray(at, at + length)]);
      at += length;
    } else if (kind === 5) at += 4;
    else if (kind === 1) at += 8;
    else break;
  }
  return found;
}
