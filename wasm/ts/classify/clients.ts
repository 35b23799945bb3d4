// The classifiers of single databases, brokers and services, by the codes that their clients pass on. Each looks at errors
// of the shape that its clients give them, so that one family's numbers are not taken for another's.

import type { Classification } from "../types.js";
import * as module from "../wasm/modules/clients.js";
import { anyCode, branded, clientMessage } from "./codes.js";
import { byDefault } from "./default.js";
import { nameOf, read } from "./facts.js";
import { type Special, Tables } from "./tables.js";
import { classified, type Look } from "./wrapped.js";

const TABLES = /* @__PURE__ */ new Tables(module);

/** The rules of the module, by their numbers. */
const [MYSQL, SQLITE, MSSQL, MONGODB, PRISMA, KAFKA, AMQP, NATS, MQTT, SMTP, LLM] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

const text = (value: unknown) => (typeof value === "string" ? value : undefined);
const begins = (value: unknown, words: RegExp) => typeof value === "string" && words.test(value);
const find = (rule: number, special: Special) => TABLES.lookup(rule, undefined, special);

/** A number beside an SQLSTATE or a text of the server, as mysql2 and mariadb have them. */
export function mysqlCode(one: unknown): Classification | undefined {
  const [errno, state] = [read(one, "errno"), read(one, "sqlState")];
  const isServers =
    typeof errno === "number" && errno > 0 && (state !== undefined || read(one, "sqlMessage") !== undefined);
  const message = read(one, "sqlMessage") ?? read(one, "message");
  const facts = { name: read(one, "code"), code: errno, sqlstate: state ?? "", message };
  return isServers ? find(MYSQL, facts) : undefined;
}

/** `SQLITE_BUSY` in `code`, or, as node:sqlite has it, a number in `errcode`. */
export function sqliteCode(one: unknown): Classification | undefined {
  const [code, errcode] = [read(one, "code"), read(one, "errcode")];
  if (begins(code, /^SQLITE_/)) return find(SQLITE, { name: code });
  return code === "ERR_SQLITE_ERROR" ? find(SQLITE, { code: errcode }) : undefined;
}

/** A number of SQL Server, or a code of tedious. */
export function mssqlCode(one: unknown): Classification | undefined {
  const isClients = begins(read(one, "code"), /^E(TIMEOUT|SOCKET|CONNCLOSED|LOGIN|CANCEL|REQUEST|ABORT|INSTLOOKUP)$/);
  return isClients ? find(MSSQL, { name: read(one, "code"), code: read(one, "number") }) : undefined;
}

/** A number of the server, a label or the name of an error of the driver. */
export function mongodbCode(one: unknown): Classification | undefined {
  const name = nameOf(one);
  if (!begins(name, /^Mongo/)) return undefined;
  const labels = read(one, "errorLabels");
  return find(MONGODB, { name, code: read(one, "code"), grpc: Array.isArray(labels) ? labels.join(" ") : undefined });
}

/** A code of Prisma's client, with the database's own in `meta`. */
export function prismaCode(one: unknown): Classification | undefined {
  if (!begins(nameOf(one), /^PrismaClient/)) return undefined;
  const name = read(one, "code") ?? read(one, "errorCode");
  return find(PRISMA, { name, sqlstate: read(read(one, "meta"), "code") });
}

/** The type of an error of KafkaJS, and whether the client calls it retriable. A wrapper is passed over. */
export function kafkaCode(one: unknown): Classification | undefined {
  const name = nameOf(one);
  const isWrapper = read(one, "cause") instanceof Object || read(one, "originalError") instanceof Object;
  if (!begins(name, /^KafkaJS/) || isWrapper) return undefined;
  return find(KAFKA, { name: text(read(one, "type")) ?? name, status: Number(read(one, "retriable")) });
}

/** The number by which a broker closes a channel or a connection. */
export function amqpCode(one: unknown): Classification | undefined {
  const isBrokers = begins(
    read(one, "message"),
    /^(Channel|Connection) closed( by server)?: \d|^Operation failed: |^Handshake terminated/,
  );
  const [, said] = /\b(\d{3})\b/.exec(text(read(one, "message")) ?? "") ?? [];
  return isBrokers ? find(AMQP, { code: read(one, "code") ?? Number(said) }) : undefined;
}

/** A code of nats.js. */
export function natsCode(one: unknown): Classification | undefined {
  return nameOf(one) === "NatsError" ? find(NATS, { name: read(one, "code") }) : undefined;
}

/** The reason of a CONNACK, a PUBACK or a DISCONNECT, as mqtt has it. */
export function mqttCode(one: unknown): Classification | undefined {
  const isReason =
    typeof read(one, "code") === "number" &&
    begins(read(one, "message"), /^(Connection refused|Publish error|Subscribe error)/);
  return isReason ? find(MQTT, { code: read(one, "code") }) : undefined;
}

/** The code of a server's reply, as nodemailer has it. */
export function smtpCode(one: unknown): Classification | undefined {
  return typeof read(one, "responseCode") === "number" ? find(SMTP, { code: read(one, "responseCode") }) : undefined;
}

/** The code that an API of models answers with, which says more than its status. */
export function llmCode(one: unknown): Classification | undefined {
  const bodies = [one, read(one, "error"), read(one, "data")].flatMap((body) => [body, read(body, "error")]);
  for (const body of bodies) {
    for (const key of ["code", "type"]) {
      const name = text(read(body, key));
      const found = name === undefined ? undefined : find(LLM, { name });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** By a code of the family, or of a connection, at any depth; then as the default rules, and by what clients say without a code. */
const family =
  (code: Look) =>
  (error: unknown): Classification =>
    classified(error, (one) => branded(one) ?? code(one) ?? anyCode(one), byDefault, clientMessage);

/** By the numbers of MySQL and MariaDB, then by SQLSTATE. */
export const mysql = /* @__PURE__ */ family(mysqlCode);
/** By the codes of SQLite. */
export const sqlite = /* @__PURE__ */ family(sqliteCode);
/** By the numbers of SQL Server. */
export const mssql = /* @__PURE__ */ family(mssqlCode);
/** By the numbers of MongoDB, then by the labels and names of its driver's errors. */
export const mongodb = /* @__PURE__ */ family(mongodbCode);
/** By the codes of Prisma's client. */
export const prisma = /* @__PURE__ */ family(prismaCode);
/** By the types of KafkaJS' errors, and whether it calls them retriable. */
export const kafka = /* @__PURE__ */ family(kafkaCode);
/** By the reply codes of AMQP 0-9-1. */
export const amqp = /* @__PURE__ */ family(amqpCode);
/** By the codes of nats.js. */
export const nats = /* @__PURE__ */ family(natsCode);
/** By the reason codes of MQTT. */
export const mqtt = /* @__PURE__ */ family(mqttCode);
/** By the reply codes of SMTP. */
export const smtp = /* @__PURE__ */ family(smtpCode);
