// Clients whose servers do not run here: connections that fail are real; what a server says is an instance of the client's
// own class, filled in as the server would have it.

import {
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
  RestError,
} from "@azure/core-rest-pipeline";
import { Client as Elasticsearch } from "@elastic/elasticsearch";
import { drive } from "@googleapis/drive";
import { PrismaClientInitializationError, PrismaClientKnownRequestError } from "@prisma/client/runtime/library.js";
import kafkajs from "kafkajs";
import * as mongodb from "mongodb";
import mssql from "mssql";
import { Octokit } from "octokit";
import Stripe from "stripe";
import { freePort } from "../lab/processes.mjs";
import { startService } from "../lab/services.mjs";
import { startTcp } from "../lab/tcp-server.mjs";

/** As long as a client waits. */
const TIMEOUT_MS = 200;

/** Rows of errors that are constructed. */
async function constructed(client, classifier, row, errors) {
  for (const [name, want, error, more] of errors) {
    await row(client, name, want, classifier, () => Promise.reject(error), { constructed: true, ...more });
  }
}

/** Rows of connections that fail: refused, reset, and without an answer. */
async function connections(client, classifier, { row, shared }, connect) {
  const { silent, resetting } = await shared("tcp", startTcp);
  await row(client, "refused", "TRANSIENT", classifier, async () => connect(await freePort()));
  await row(client, "reset", "TRANSIENT", classifier, () => connect(resetting));
  await row(client, "hang", "TRANSIENT", classifier, () => connect(silent));
}

async function mssqlRows(lab) {
  const name = "mssql";
  await connections(name, "mssql", lab, async (port) => {
    const options = { encrypt: false, trustServerCertificate: true };
    const server = { server: "127.0.0.1", port, user: "admin", password: "admin", options };
    const pool = new mssql.ConnectionPool({ ...server, connectionTimeout: TIMEOUT_MS });
    pool.on("error", () => {});
    return pool.connect();
  });
  const request = (number, message) =>
    new mssql.RequestError(Object.assign(new Error(message), { number, info: { number } }), "EREQUEST");
  const error = (Type, message, code) => new Type(message, code);
  await constructed(name, "mssql", lab.row, [
    ["deadlock", "CONCURRENCY", request(1205, "Transaction was deadlocked")],
    ["lock time-out", "CONCURRENCY", request(1222, "Lock request time out period exceeded.")],
    ["snapshot conflict", "CONCURRENCY", request(3960, "Snapshot isolation transaction aborted")],
    ["duplicate key", "PERMANENT", request(2627, "Violation of PRIMARY KEY constraint")],
    ["syntax", "PERMANENT", request(102, "Incorrect syntax near 'selekt'.")],
    ["no permission", "PERMISSION", request(229, "The SELECT permission was denied")],
    ["throttled by Azure", "RATE_LIMIT", request(40501, "The service is currently busy.")],
    ["failed over", "TRANSIENT", request(40613, "Database is not currently available.")],
    ["out of memory", "SERVER_ERROR", request(701, "There is insufficient system memory")],
    ["wrong password", "AUTH", error(mssql.ConnectionError, "Login failed for user 'admin'.", "ELOGIN")],
    ["statement time-out", "TRANSIENT", error(mssql.RequestError, "Timeout: Request failed to complete", "ETIMEOUT")],
    ["connection closed", "TRANSIENT", error(mssql.ConnectionError, "Connection is closed.", "ECONNCLOSED")],
    // The program cancelled it: it is not retried.
    ["cancelled", "PERMANENT", error(mssql.RequestError, "Canceled.", "ECANCEL")],
  ]);
}

async function mongodbRows(lab) {
  const name = "mongodb";
  await connections(name, "mongodb", lab, async (port) => {
    const options = { serverSelectionTimeoutMS: TIMEOUT_MS, connectTimeoutMS: TIMEOUT_MS, socketTimeoutMS: TIMEOUT_MS };
    const client = new mongodb.MongoClient(`mongodb://127.0.0.1:${port}`, options);
    try {
      return await client.connect();
    } finally {
      await client.close();
    }
  });
  const server = (code, errmsg, errorLabels = []) => new mongodb.MongoServerError({ code, errmsg, errorLabels, ok: 0 });
  await constructed(name, "mongodb", lab.row, [
    ["duplicate key", "PERMANENT", server(11000, "E11000 duplicate key error")],
    ["write conflict", "CONCURRENCY", server(112, "WriteConflict", ["TransientTransactionError"])],
    ["no longer primary", "TRANSIENT", server(10107, "not primary", ["RetryableWriteError"])],
    ["time limit", "TRANSIENT", server(50, "operation exceeded time limit")],
    ["wrong password", "AUTH", server(18, "Authentication failed.")],
    ["no permission", "PERMISSION", server(13, "not authorized on lab")],
    ["too many requests", "RATE_LIMIT", server(16500, "Request rate is large")],
    ["overloaded", "RATE_LIMIT", server(462, "overloaded", ["SystemOverloadedError", "RetryableError"])],
    ["retryable by its label", "TRANSIENT", server(91331, "new", ["RetryableWriteError"])],
    ["connection lost", "TRANSIENT", new mongodb.MongoNetworkError("connection 1 to 127.0.0.1:27017 closed")],
    ["invalid document", "PERMANENT", server(121, "Document failed validation")],
  ]);
}

async function kafkaRows(lab) {
  const name = "kafkajs";
  await connections(name, "kafka", lab, async (port) => {
    const options = { brokers: [`127.0.0.1:${port}`], connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS };
    const logLevel = kafkajs.logLevel.NOTHING;
    const admin = new kafkajs.Kafka({
      clientId: "lab",
      ...options,
      enforceRequestTimeout: true,
      logLevel,
      retry: { retries: 0 },
    }).admin();
    try {
      return await admin.connect();
    } finally {
      await admin.disconnect();
    }
  });
  const { KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError, KafkaJSSASLAuthenticationError } = kafkajs;
  const protocol = (type, code, retriable) =>
    new KafkaJSProtocolError(Object.assign(new Error(type), { type, code, retriable }));
  const leader = protocol("NOT_LEADER_FOR_PARTITION", 6, true);
  await constructed(name, "kafka", lab.row, [
    ["not the leader", "TRANSIENT", leader],
    [
      "not the leader, retried",
      "TRANSIENT",
      new KafkaJSNumberOfRetriesExceeded(leader, { retryCount: 5, retryTime: 1 }),
    ],
    ["message too large", "PERMANENT", protocol("MESSAGE_TOO_LARGE", 10, false)],
    ["no permission", "PERMISSION", protocol("TOPIC_AUTHORIZATION_FAILED", 29, false)],
    ["wrong password", "AUTH", new KafkaJSSASLAuthenticationError("SASL PLAIN authentication failed")],
  ]);
}

async function prismaRows({ row }) {
  const known = (code, meta) => new PrismaClientKnownRequestError("failed", { code, meta, clientVersion: "6" });
  const starting = (code) => new PrismaClientInitializationError("failed", "6", code);
  await constructed("@prisma/client", "prisma", row, [
    ["unique constraint", "PERMANENT", known("P2002", { target: ["id"] })],
    ["no such record", "PERMANENT", known("P2025")],
    ["write conflict or deadlock", "CONCURRENCY", known("P2034")],
    ["time-out of the pool", "TRANSIENT", known("P2024")],
    ["transaction time-out", "TRANSIENT", known("P2028")],
    ["out of connections", "SERVER_ERROR", known("P2037")],
    ["raw query: serialisation failure", "CONCURRENCY", known("P2010", { code: "40001" })],
    ["cannot be reached", "TRANSIENT", starting("P1001")],
    ["wrong password", "AUTH", starting("P1000")],
    ["no permission", "PERMISSION", starting("P1010")],
  ]);
}

/** The rows of a client of HTTP: statuses, and connections that fail. */
async function overHttp(client, { row, shared }, call, { more = [], lost = "TRANSIENT" } = {}) {
  const service = await shared("service", startService);
  const slow = { "retry-after": "2" };
  // As each of them reads it.
  const body = (message) => ({ message, error: { message, type: "api_error" } });
  const answers = [
    ["429 with Retry-After", "RATE_LIMIT", { status: 429, body: body("slow"), headers: slow }, { hintMs: 2_000 }],
    ["503", "SERVER_ERROR", { status: 503, body: body("down") }],
    ["401", "AUTH", { status: 401, body: body("who") }],
    ["403", "PERMISSION", { status: 403, body: body("no") }],
    ["404", "PERMANENT", { status: 404, body: body("none") }],
    ["409", "CONCURRENCY", { status: 409, body: body("conflict") }],
    ["lost", lost, { fault: "lost" }],
    ["hang", lost, { fault: "hang" }],
    ...more,
  ];
  for (const [name, want, answer, hint] of answers) {
    await row(client, name, want, "http", () => (service.play(answer), call(service.port, service.url)), hint);
  }
  const port = await freePort();
  await row(client, "refused", lost, "http", () => call(port, `http://127.0.0.1:${port}`));
}

const stripe = (lab) =>
  overHttp("stripe", lab, (port) => {
    const options = { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 0, timeout: TIMEOUT_MS };
    return new Stripe("sk_test_lab", { ...options, telemetry: false }).customers.retrieve("cus_lab");
  });

const octokit = (lab) =>
  overHttp(
    "octokit",
    lab,
    (_, baseUrl) => {
      const off = { retry: { enabled: false }, throttle: { enabled: false } };
      const client = new Octokit({ baseUrl, ...off, log: { debug() {}, info() {}, warn() {}, error() {} } });
      return client.request("GET /user", { request: { signal: AbortSignal.timeout(TIMEOUT_MS) } });
    },
    {
      // It has status 500 for them.
      lost: "SERVER_ERROR",
      more: [
        [
          "403 with the quota used up",
          "RATE_LIMIT",
          { status: 403, body: {}, headers: { "x-ratelimit-remaining": "0", "retry-after": "3" } },
          { hintMs: 3_000 },
        ],
      ],
    },
  );

const azure = (lab) =>
  overHttp("@azure/core-rest-pipeline", lab, async (_, url) => {
    const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 0 } });
    const request = createPipelineRequest({ url, timeout: TIMEOUT_MS, allowInsecureConnection: true });
    const response = await pipeline.sendRequest(createDefaultHttpClient(), request);
    // As its clients do with a status that they do not expect.
    throw new RestError(`status ${response.status}`, { statusCode: response.status, request, response });
  });

const elasticsearch = (lab) =>
  overHttp("@elastic/elasticsearch", lab, async (_, node) => {
    const client = new Elasticsearch({ node, maxRetries: 0, requestTimeout: TIMEOUT_MS });
    try {
      return await client.search({ index: "lab" });
    } finally {
      await client.close();
    }
  });

const googleapis = (lab) =>
  overHttp("@googleapis/drive", lab, (_, rootUrl) =>
    drive({ version: "v3", rootUrl: `${rootUrl}/`, auth: "key", retry: false, timeout: TIMEOUT_MS }).files.list(),
  );

export const clients = {
  mssql: mssqlRows,
  mongodb: mongodbRows,
  kafkajs: kafkaRows,
  "@prisma/client": prismaRows,
  stripe,
  octokit,
  "@azure/core-rest-pipeline": azure,
  "@elastic/elasticsearch": elasticsearch,
  "@googleapis/drive": googleapis,
};
