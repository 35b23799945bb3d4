// The classifiers of redress for Python, 1.4.2, beside the rows of this run. The classes are those of its source; where ours
// is another, the reason is here, and a reason that is not needed fails the run as a missing one does.

const SQLSTATE = "SQL's own list has it, the reference's short one does not";
const CERTIFICATE = "the next attempt gets the same certificate";
const GRPC = "gRPC's status codes say so";

/** Classifier: the error there, its class there, the client and the fault here, and why the class is another here. */
const ROWS = {
  aiohttp_classifier: [
    ["ClientConnectorError", "TRANSIENT", "fetch", "refused"],
    ["ServerDisconnectedError", "TRANSIENT", "fetch", "reset before an answer"],
    ["ClientPayloadError", "TRANSIENT", "fetch", "reset in the body"],
    ["ServerTimeoutError", "TRANSIENT", "fetch", "hang"],
    ["ClientConnectorCertificateError", "TRANSIENT", "fetch", "certificate of another host", CERTIFICATE],
    ["ClientResponseError, 429", "RATE_LIMIT", "fetch", "429 with Retry-After"],
    ["ClientResponseError, 503", "SERVER_ERROR", "fetch", "503"],
    ["ClientResponseError, 401", "AUTH", "fetch", "401"],
    ["ClientResponseError, 404", "PERMANENT", "fetch", "404"],
  ],
  urllib3_classifier: [
    ["NewConnectionError", "TRANSIENT", "undici request", "refused"],
    ["ReadTimeoutError", "TRANSIENT", "undici request", "hang"],
    ["ProtocolError", "TRANSIENT", "undici request", "reset in the body"],
    ["SSLError", "UNKNOWN", "undici request", "certificate of another host", CERTIFICATE],
  ],
  sqlstate_classifier: [
    ["40001", "CONCURRENCY", "pg", "serialisation failure"],
    ["40P01", "CONCURRENCY", "pg", "deadlock"],
    ["28P01", "AUTH", "pg", "wrong password"],
    ["57P01", "UNKNOWN", "pg", "killed in mid-query", SQLSTATE],
    ["53300", "UNKNOWN", "pg", "out of connections", SQLSTATE],
    ["55P03", "UNKNOWN", "pg", "lock time-out", SQLSTATE],
    ["23505", "UNKNOWN", "pg", "duplicate key", SQLSTATE],
    ["42601", "UNKNOWN", "pg", "syntax", SQLSTATE],
    ["42501", "UNKNOWN", "pg", "no permission", SQLSTATE],
    ["57014", "UNKNOWN", "pg", "statement time-out", SQLSTATE],
  ],
  redis_classifier: [
    ["BusyLoadingError", "TRANSIENT", "ioredis", "LOADING"],
    ["ReadOnlyError", "CONCURRENCY", "ioredis", "READONLY"],
    ["AuthenticationError", "AUTH", "ioredis", "NOAUTH"],
    ["NoPermissionError", "PERMISSION", "ioredis", "NOPERM"],
    ["ConnectionError", "TRANSIENT", "ioredis", "killed"],
    ["OutOfMemoryError", "UNKNOWN", "ioredis", "OOM", "the server has no memory for it"],
    ["MovedError", "UNKNOWN", "ioredis", "MOVED", "a client that does not follow it gets it again"],
  ],
  grpc_classifier: [
    ["CANCELLED", "PERMANENT", "@grpc/grpc-js", "CANCELLED"],
    ["UNKNOWN", "UNKNOWN", "@grpc/grpc-js", "UNKNOWN"],
    ["INVALID_ARGUMENT", "PERMANENT", "@grpc/grpc-js", "INVALID_ARGUMENT"],
    ["DEADLINE_EXCEEDED", "TRANSIENT", "@grpc/grpc-js", "DEADLINE_EXCEEDED"],
    ["NOT_FOUND", "PERMANENT", "@grpc/grpc-js", "NOT_FOUND"],
    ["ALREADY_EXISTS", "UNKNOWN", "@grpc/grpc-js", "ALREADY_EXISTS", GRPC],
    ["PERMISSION_DENIED", "PERMISSION", "@grpc/grpc-js", "PERMISSION_DENIED"],
    ["RESOURCE_EXHAUSTED", "RATE_LIMIT", "@grpc/grpc-js", "RESOURCE_EXHAUSTED"],
    ["FAILED_PRECONDITION", "PERMANENT", "@grpc/grpc-js", "FAILED_PRECONDITION"],
    ["ABORTED", "UNKNOWN", "@grpc/grpc-js", "ABORTED", GRPC],
    ["OUT_OF_RANGE", "PERMANENT", "@grpc/grpc-js", "OUT_OF_RANGE"],
    ["UNIMPLEMENTED", "UNKNOWN", "@grpc/grpc-js", "UNIMPLEMENTED", GRPC],
    ["INTERNAL", "SERVER_ERROR", "@grpc/grpc-js", "INTERNAL"],
    ["UNAVAILABLE", "TRANSIENT", "@grpc/grpc-js", "UNAVAILABLE"],
    ["DATA_LOSS", "SERVER_ERROR", "@grpc/grpc-js", "DATA_LOSS"],
    ["UNAUTHENTICATED", "AUTH", "@grpc/grpc-js", "UNAUTHENTICATED"],
  ],
  boto3_classifier: [
    ["EndpointConnectionError", "TRANSIENT", "@aws-sdk/client-s3", "refused"],
    ["SlowDown", "RATE_LIMIT", "@aws-sdk/client-s3", "slow down"],
    ["AccessDenied", "PERMISSION", "@aws-sdk/client-s3", "access denied"],
    ["ExpiredToken", "AUTH", "@aws-sdk/client-s3", "expired token"],
    ["InternalError, 500", "SERVER_ERROR", "@aws-sdk/client-s3", "internal error"],
    ["NoSuchKey, 404", "PERMANENT", "@aws-sdk/client-s3", "no such key"],
    ["RequestTimeout, 400", "PERMANENT", "@aws-sdk/client-s3", "request time-out", "AWS's own retry modes retry it"],
    [
      "ProvisionedThroughputExceededException, 400",
      "PERMANENT",
      "@aws-sdk/client-dynamodb",
      "throughput exceeded",
      "AWS's own retry modes take it for throttling",
    ],
    [
      "ConditionalCheckFailedException, 400",
      "PERMANENT",
      "@aws-sdk/client-dynamodb",
      "condition that fails",
      "another writer was first: read again, then write",
    ],
  ],
  openai_classifier: [
    ["RateLimitError with Retry-After", "RATE_LIMIT", "openai", "429 with Retry-After"],
    ["RateLimitError, insufficient_quota", "PERMANENT", "openai", "quota used up"],
    ["BadRequestError", "PERMANENT", "openai", "too long"],
    ["AuthenticationError", "AUTH", "openai", "wrong key"],
    ["InternalServerError", "SERVER_ERROR", "openai", "503"],
    ["APIConnectionError", "TRANSIENT", "openai", "lost"],
    ["APITimeoutError", "TRANSIENT", "openai", "hang"],
  ],
  anthropic_classifier: [
    ["RateLimitError with Retry-After", "RATE_LIMIT", "@anthropic-ai/sdk", "429 with Retry-After"],
    ["OverloadedError", "SERVER_ERROR", "@anthropic-ai/sdk", "overloaded"],
    ["BadRequestError", "PERMANENT", "@anthropic-ai/sdk", "wrong request"],
    ["AuthenticationError", "AUTH", "@anthropic-ai/sdk", "wrong key"],
    ["PermissionDeniedError", "PERMISSION", "@anthropic-ai/sdk", "no permission"],
    ["InternalServerError", "SERVER_ERROR", "@anthropic-ai/sdk", "500"],
    ["APIConnectionError", "TRANSIENT", "@anthropic-ai/sdk", "lost"],
    ["APITimeoutError", "TRANSIENT", "@anthropic-ai/sdk", "hang"],
  ],
};

const HEAD = `## Beside the classifiers of redress for Python 1.4.2

| there | its error | its class | here | the fault | our class | why another |
| --- | --- | --- | --- | --- | --- | --- |
`;

/** The table, and what is wrong with it. */
export function besideReference(rows) {
  const problems = [];
  const lines = Object.entries(ROWS).flatMap(([classifier, errors]) =>
    errors.map(([error, there, client, fault, why = ""]) => {
      const here = rows.find((row) => row.client === client && row.name === fault)?.class;
      if (here === undefined) problems.push(`${classifier}, ${error}: no row ${client}, ${fault}`);
      else if ((here !== there) !== (why !== ""))
        problems.push(`${classifier}, ${error}: ${there}, here ${here}: ${why || "no reason"}`);
      return `| \`${classifier}\` | ${error} | ${there} | ${client} | ${fault} | ${here} | ${why} |`;
    }),
  );
  return { text: `${HEAD}${lines.join("\n")}\n`, problems };
}
