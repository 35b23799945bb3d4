// SDKs of services and of models' APIs, against servers on this machine that answer as theirs do.

import { once } from "node:events";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { generateText } from "ai";
import dynalite from "dynalite";
import OpenAI from "openai";
import { freePort } from "../lab/processes.mjs";
import { startService } from "../lab/services.mjs";

const KEYS = { accessKeyId: "key", secretAccessKey: "secret" };

/** An SDK of AWS, which retries nothing itself. */
const aws = (Client, endpoint, more) =>
  new Client({ endpoint, region: "us-east-1", credentials: KEYS, maxAttempts: 1, ...more });

/** Starts dynalite; its address. */
async function startDynalite() {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const client = aws(DynamoDBClient, url);
  const [KeySchema, AttributeDefinitions] = [
    [{ AttributeName: "id", KeyType: "HASH" }],
    [{ AttributeName: "id", AttributeType: "S" }],
  ];
  const table = { TableName: "lab", KeySchema, AttributeDefinitions, BillingMode: "PAY_PER_REQUEST" };
  await client.send(new CreateTableCommand(table));
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: "lab" }));
    if (Table.TableStatus === "ACTIVE") break;
  }
  client.destroy();
  return { url, table, stop: async () => server.close() };
}

async function dynamodb({ row, shared }) {
  const { url, table } = await shared("dynalite", startDynalite);
  const service = await shared("service", startService);
  const send =
    (command, endpoint = url) =>
    () =>
      aws(DynamoDBClient, endpoint).send(command);
  const fault = (name, want, provoke, more) => row("@aws-sdk/client-dynamodb", name, want, "aws", provoke, more);
  const put = new PutItemCommand({
    TableName: "lab",
    Item: { id: { S: "a" } },
    ConditionExpression: "attribute_exists(nothing)",
  });
  await fault("condition that fails", "CONCURRENCY", send(put));
  await fault("no such table", "PERMANENT", send(new GetItemCommand({ TableName: "none", Key: { id: { S: "a" } } })));
  await fault("wrong key", "PERMANENT", send(new GetItemCommand({ TableName: "lab", Key: { other: { S: "a" } } })));
  await fault("table that exists", "CONCURRENCY", send(new CreateTableCommand(table)));
  const get = new GetItemCommand({ TableName: "lab", Key: { id: { S: "a" } } });
  for (const [name, want, status, code, headers] of [
    ["throughput exceeded", "RATE_LIMIT", 400, "ProvisionedThroughputExceededException"],
    ["throttled", "RATE_LIMIT", 400, "ThrottlingException"],
    ["access denied", "PERMISSION", 400, "AccessDeniedException"],
    ["unknown key", "AUTH", 400, "UnrecognizedClientException"],
    ["internal error", "SERVER_ERROR", 500, "InternalServerError"],
  ]) {
    await fault(name, want, () => {
      service.play({ status, headers, body: { __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: name } });
      return send(get, service.url)();
    });
  }
  await lostRows(fault, service, (endpoint, requestHandler) =>
    aws(DynamoDBClient, endpoint, { requestHandler }).send(get),
  );
}

/** What every SDK of AWS meets with. */
async function lostRows(fault, service, send) {
  await fault("lost", "TRANSIENT", () => {
    service.play({ fault: "lost" });
    return send(service.url);
  });
  await fault("hang", "TRANSIENT", () => {
    service.play({ fault: "hang" });
    return send(service.url, { requestTimeout: 100, throwOnRequestTimeout: true });
  });
  await fault("refused", "TRANSIENT", async () => send(`http://127.0.0.1:${await freePort()}`));
}

async function s3({ row, shared }) {
  const service = await shared("service", startService);
  const fault = (name, want, provoke, more) => row("@aws-sdk/client-s3", name, want, "aws", provoke, more);
  const get = (endpoint, requestHandler) =>
    aws(S3Client, endpoint, { forcePathStyle: true, requestHandler }).send(
      new GetObjectCommand({ Bucket: "b", Key: "k" }),
    );
  for (const [name, want, status, code] of [
    ["no such key", "PERMANENT", 404, "NoSuchKey"],
    ["access denied", "PERMISSION", 403, "AccessDenied"],
    ["slow down", "RATE_LIMIT", 503, "SlowDown"],
    ["internal error", "SERVER_ERROR", 500, "InternalError"],
    ["expired token", "AUTH", 400, "ExpiredToken"],
    ["request time-out", "TRANSIENT", 400, "RequestTimeout"],
    ["503 of a proxy", "SERVER_ERROR", 503],
  ]) {
    await fault(name, want, () => {
      const body =
        code === undefined ? "" : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
      service.play({ status, body, headers: { "content-type": "application/xml" } });
      return get(service.url);
    });
  }
  await lostRows(fault, service, get);
}

async function sqs({ row, shared }) {
  const service = await shared("service", startService);
  const fault = (name, want, provoke, more) => row("@aws-sdk/client-sqs", name, want, "aws", provoke, more);
  const receive = (endpoint, requestHandler) =>
    aws(SQSClient, endpoint, { requestHandler }).send(new ReceiveMessageCommand({ QueueUrl: `${endpoint}/1/lab` }));
  for (const [name, want, status, code] of [
    ["no such queue", "PERMANENT", 400, "QueueDoesNotExist"],
    ["throttled", "RATE_LIMIT", 400, "RequestThrottled"],
    ["over the limit", "RATE_LIMIT", 403, "OverLimit"],
  ]) {
    await fault(name, want, () => {
      service.play({ status, body: { __type: `com.amazonaws.sqs#${code}`, message: name } });
      return receive(service.url);
    });
  }
  await lostRows(fault, service, receive);
}

const QUOTA = { error: { message: "quota", type: "insufficient_quota", param: null, code: "insufficient_quota" } };
const TOO_LONG = { error: { message: "long", type: "invalid_request_error", code: "context_length_exceeded" } };
const limited = { error: { message: "slow", type: "requests", code: "rate_limit_exceeded" } };
const anthropicError = (type) => ({ type: "error", error: { type, message: type } });

const OF_OPENAI = [
  [
    "429 with Retry-After",
    "RATE_LIMIT",
    { status: 429, body: limited, headers: { "retry-after": "2" } },
    { hintMs: 2_000 },
  ],
  [
    "429 with retry-after-ms",
    "RATE_LIMIT",
    { status: 429, body: limited, headers: { "retry-after-ms": "1500" } },
    { hintMs: 1_500 },
  ],
  ["quota used up", "PERMANENT", { status: 429, body: QUOTA }],
  ["too long", "PERMANENT", { status: 400, body: TOO_LONG }],
  ["wrong key", "AUTH", { status: 401, body: { error: { message: "key", code: "invalid_api_key" } } }],
  ["503", "SERVER_ERROR", { status: 503, body: { error: { message: "down" } } }],
  ["lost", "TRANSIENT", { fault: "lost" }],
  ["hang", "TRANSIENT", { fault: "hang" }],
];

const OF_ANTHROPIC = [
  [
    "429 with Retry-After",
    "RATE_LIMIT",
    { status: 429, body: anthropicError("rate_limit_error"), headers: { "retry-after": "2" } },
    { hintMs: 2_000 },
  ],
  ["overloaded", "SERVER_ERROR", { status: 529, body: anthropicError("overloaded_error") }],
  ["wrong request", "PERMANENT", { status: 400, body: anthropicError("invalid_request_error") }],
  ["wrong key", "AUTH", { status: 401, body: anthropicError("authentication_error") }],
  ["no permission", "PERMISSION", { status: 403, body: anthropicError("permission_error") }],
  ["500", "SERVER_ERROR", { status: 500, body: anthropicError("api_error") }],
  ["lost", "TRANSIENT", { fault: "lost" }],
  ["hang", "TRANSIENT", { fault: "hang" }],
];

/** As long as a client waits for an answer. */
const TIMEOUT_MS = 300;

/** The SDKs, which retry nothing themselves here; each asks a model. */
const MODELS = {
  openai: [
    OF_OPENAI,
    (baseURL, timeout) =>
      new OpenAI({ baseURL, apiKey: "key", maxRetries: 0, timeout }).chat.completions.create({
        model: "m",
        messages: [],
      }),
  ],
  "@anthropic-ai/sdk": [
    OF_ANTHROPIC,
    (baseURL, timeout) =>
      new Anthropic({ baseURL, apiKey: "key", maxRetries: 0, timeout }).messages.create({
        model: "m",
        max_tokens: 1,
        messages: [{ role: "user", content: "x" }],
      }),
  ],
  ai: [
    OF_OPENAI,
    (baseURL, timeout) => {
      const model = createOpenAI({ baseURL, apiKey: "key" }).chat("m");
      return generateText({ model, prompt: "x", maxRetries: 0, abortSignal: AbortSignal.timeout(timeout) });
    },
  ],
  // Its own retries wrap the error of each attempt.
  "ai with its retries": [
    [
      [
        "429 with Retry-After",
        "RATE_LIMIT",
        { status: 429, body: limited, headers: { "retry-after-ms": "100" } },
        { hintMs: 100 },
      ],
      ["503", "SERVER_ERROR", { status: 503, body: {}, headers: { "retry-after-ms": "100" } }, { hintMs: 100 }],
    ],
    (baseURL) =>
      generateText({ model: createOpenAI({ baseURL, apiKey: "key" }).chat("m"), prompt: "x", maxRetries: 1 }),
  ],
};

const models = Object.entries(MODELS).map(([name, [faults, ask]]) => [
  name,
  async ({ row, shared }) => {
    const service = await shared("service", startService);
    for (const [fault, want, answer, more] of faults) {
      const provoke = () => {
        service.play(answer);
        return ask(service.url, answer.fault === "hang" ? TIMEOUT_MS : 20_000);
      };
      await row(name, fault, want, "llm", provoke, more);
    }
    await row(name, "refused", "TRANSIENT", "llm", async () => ask(`http://127.0.0.1:${await freePort()}`, 20_000));
  },
]);

export const clients = {
  "@aws-sdk/client-dynamodb": dynamodb,
  "@aws-sdk/client-s3": s3,
  "@aws-sdk/client-sqs": sqs,
  ...Object.fromEntries(models),
};
