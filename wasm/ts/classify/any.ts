// A classifier made of all families, each for errors of its own shape.

import type { Classification } from "../types.js";
import {
  amqpCode,
  kafkaCode,
  llmCode,
  mongodbCode,
  mqttCode,
  mssqlCode,
  mysqlCode,
  natsCode,
  prismaCode,
  smtpCode,
  sqliteCode,
} from "./clients.js";
import { anyCode, branded, clientMessage } from "./codes.js";
import { nameOf, read, says } from "./facts.js";
import { headerHint, httpCode, httpWhole, isNoFailure } from "./http.js";
import { system } from "./system.js";
import { awsCode, grpcCode, redisReply, sqlstateCode } from "./vendors.js";
import { classified, type Look } from "./wrapped.js";

/** A reply of a Redis server: of ioredis and of node-redis. */
function redisCode(one: unknown): Classification | undefined {
  const isReply = says(nameOf(one), /^(ReplyError|ErrorReply|SimpleError|BlobError)$/);
  const type = read(read(one, "constructor"), "name");
  return isReply || says(type, /^(ReplyError|ErrorReply|SimpleError|BlobError)$/) ? redisReply(one) : undefined;
}

/** What an API of models answers, with the hint of its headers. */
function modelsCode(one: unknown): Classification | undefined {
  const found = llmCode(one);
  return found && headerHint(found, one);
}

/** Each looks at errors of its own shape; the order decides where an error has two. */
const FAMILIES: readonly Look[] = [
  branded,
  grpcCode,
  awsCode,
  mysqlCode,
  sqliteCode,
  mssqlCode,
  mongodbCode,
  prismaCode,
  kafkaCode,
  amqpCode,
  natsCode,
  mqttCode,
  smtpCode,
  redisCode,
  sqlstateCode,
  modelsCode,
  httpCode,
  anyCode,
];

function code(one: unknown): Classification | undefined {
  for (const family of FAMILIES) {
    const found = family(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function whole(error: unknown): Classification {
  const found = httpWhole(error);
  return found.class === "UNKNOWN" ? system(error) : found;
}

/** By all families, each for errors of its shape: HTTP, databases, gRPC, AWS, Redis, brokers, SMTP, APIs of models and the system. For values as `classify.http`. */
export function any(value: unknown): Classification | null {
  return isNoFailure(value) ? null : classified(value, code, whole, clientMessage);
}

/** As `classify.http`, with the codes by which APIs of models say more than by their status. */
export function llm(value: unknown): Classification | null {
  return isNoFailure(value)
    ? null
    : classified(value, (one) => modelsCode(one) ?? httpCode(one), httpWhole, clientMessage);
}
