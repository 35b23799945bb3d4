// Errors that wrap others: a code at any depth goes before the names and texts around it.

import { classify } from "redress";
import { assert, describe, test } from "./harness.js";

const coded = (code, cause) => Object.assign(new Error("x", { cause }), { code });

describe("wrapped errors");

test("a code at any depth goes before a name or a text, and of codes the outermost", () => {
  const named = Object.assign(new Error("query failed", { cause: coded("28P01") }), { name: "ConnectionError" });
  for (const [error, by, want] of [
    [named, "sqlstate", "AUTH"],
    [{ name: "E", original: coded("40001") }, "sqlstate", "CONCURRENCY"],
    [{ name: "E", originalError: { name: "E", cause: coded("53300") } }, "sqlstate", "SERVER_ERROR"],
    [coded("23505", coded("40001")), "sqlstate", "PERMANENT"],
    [new TypeError("fetch failed", { cause: coded("ERR_TLS_CERT_ALTNAME_INVALID") }), "http", "PERMANENT"],
    [Object.assign(new Error("x"), { response: { statusCode: 429 } }), "http", "RATE_LIMIT"],
    [new Error("x", { cause: new Error("y", { cause: coded("ECONNRESET") }) }), "http", "TRANSIENT"],
    [new Error("x", { cause: Object.assign(new Error("y"), { name: "AbortError" }) }), "http", "TRANSIENT"],
    [new Error("x", { cause: Object.assign(new Error("y"), { name: "ReadTimeout" }) }), "http", "TRANSIENT"],
  ]) {
    assert.equal(classify[by](error).class, want, `${by}: ${error.message ?? error.name}`);
    assert.equal(classify.any(error).class, want, `any: ${error.message ?? error.name}`);
  }
});

test("the default rules look for a connection's code at eight levels, and know no other of what is wrapped", () => {
  const deep = (levels, code) => (levels === 1 ? coded(code) : new Error("x", { cause: deep(levels - 1, code) }));
  assert.equal(classify.default(deep(8, "ECONNREFUSED")).class, "TRANSIENT");
  assert.equal(classify.default(deep(9, "ECONNREFUSED")).class, "UNKNOWN");
  assert.equal(classify.default(deep(1, "ENOTFOUND")).class, "TRANSIENT");
  assert.equal(classify.default(deep(2, "40001")).class, "UNKNOWN");
});

test("of several errors the last one counts that may be tried again, and the last one if none may", () => {
  const several = (...codes) =>
    new AggregateError(
      codes.map((code) => coded(code)),
      "all failed",
    );
  assert.equal(classify.any(several("ECONNREFUSED", "CERT_HAS_EXPIRED")).class, "TRANSIENT");
  assert.equal(classify.any(several("CERT_HAS_EXPIRED", "EACCES")).class, "PERMISSION");
  assert.equal(classify.any(several("40001", "ECONNREFUSED")).class, "TRANSIENT");
  assert.equal(classify.any(new AggregateError([], "none")).class, "UNKNOWN");
});

test("eight levels are looked at, and cycles end", () => {
  const deep = (levels) => (levels === 1 ? coded("40001") : new Error("x", { cause: deep(levels - 1) }));
  assert.equal(classify.any(deep(8)).class, "CONCURRENCY");
  assert.equal(classify.any(deep(9)).class, "UNKNOWN");
  const cycle = new Error("x");
  cycle.cause = cycle;
  cycle.errors = [cycle, { cause: cycle }];
  assert.equal(classify.any(cycle).class, "UNKNOWN");
  const endless = () => ({
    get cause() {
      return endless();
    },
    get errors() {
      return Array.from({ length: 99 }, endless);
    },
  });
  assert.equal(classify.http(Object.assign(endless(), { name: "E" })).class, "UNKNOWN");
});

test("an answer of undici's request is a failure from status 400 on", () => {
  const answer = (statusCode) => ({ statusCode, headers: { "retry-after": "2" }, body: {}, trailers: {} });
  for (const by of ["http", "any"]) {
    assert.isNull(classify[by](answer(200)));
    assert.equal(classify[by](answer(429)).class, "RATE_LIMIT");
    assert.equal(classify[by](answer(429)).retryAfterMs, 2_000);
    assert.isNull(classify[by]({ items: [] }));
  }
});

test("numbers of gRPC count where an error has a gRPC client's shape", () => {
  const metadata = { get: () => [] };
  const of = (code, more) => Object.assign(new Error("x"), { code, ...more });
  assert.equal(classify.grpc(of(14, { details: "gone", metadata })).class, "TRANSIENT");
  assert.equal(classify.grpc(of(14, {})).class, "UNKNOWN");
  assert.equal(classify.any(of(14, {})).class, "UNKNOWN");
  const asked = (value) =>
    of(8, { details: "busy", metadata: { get: (key) => (/pushback/.test(key) ? [value] : []) } });
  assert.equal(classify.grpc(asked("250")).retryAfterMs, 250);
  assert.equal(classify.grpc(asked("250")).class, "RATE_LIMIT");
  assert.equal(classify.grpc(asked("-1")).class, "PERMANENT");
  const detailed = (...value) => {
    const details = [{ type: "google.rpc.RetryInfo", value: new Uint8Array(value) }];
    return Object.assign(new Error("x"), { code: 14, rawMessage: "busy", metadata: new Headers(), details });
  };
  // A Duration of 3 seconds; bytes that end too early, or never; the largest number of 64 bits.
  assert.equal(classify.grpc(detailed(10, 2, 8, 3)).retryAfterMs, 3_000);
  for (const bytes of [
    [],
    [10],
    [10, 255],
    [255, 255, 255],
    [10, 11, 8, ...Array(9).fill(255), 1],
    Array(999).fill(255),
  ]) {
    const found = classify.grpc(detailed(...bytes));
    assert.equal(found.class, "TRANSIENT");
    assert.isTrue(found.retryAfterMs === undefined || found.retryAfterMs === 0, String(found.retryAfterMs));
  }
});

test("first goes on while a classifier knows nothing", () => {
  const by = classify.first(classify.mysql, classify.http);
  assert.equal(by(Object.assign(new Error("x"), { status: 503 })).class, "SERVER_ERROR");
  assert.equal(by({ name: "E", errno: 1213, sqlState: "40001" }).class, "CONCURRENCY");
  assert.equal(by(new Error("x")).class, "UNKNOWN");
  assert.equal(
    classify.first(
      () => "UNKNOWN",
      () => "AUTH",
      () => "PERMANENT",
    )({}),
    "AUTH",
  );
  assert.equal(
    classify.first(
      () => null,
      () => "AUTH",
    )({}),
    "AUTH",
  );
});

test("families know their own codes and no other's", () => {
  for (const [by, error, want] of [
    ["sqlite", { name: "SqliteError", code: "SQLITE_BUSY" }, "CONCURRENCY"],
    ["sqlite", { name: "Error", code: "ERR_SQLITE_ERROR", errcode: 5 }, "CONCURRENCY"],
    ["mssql", { name: "RequestError", code: "EREQUEST", number: 1205 }, "CONCURRENCY"],
    ["mongodb", { name: "MongoServerError", code: 11000 }, "PERMANENT"],
    ["mongodb", { name: "MongoServerError", errorLabels: ["RetryableWriteError"] }, "TRANSIENT"],
    ["prisma", { name: "PrismaClientKnownRequestError", code: "P2034" }, "CONCURRENCY"],
    ["prisma", { name: "PrismaClientKnownRequestError", code: "P2010", meta: { code: "40P01" } }, "CONCURRENCY"],
    ["kafka", { name: "KafkaJSProtocolError", type: "NOT_LEADER_FOR_PARTITION", retriable: true }, "TRANSIENT"],
    ["smtp", { name: "Error", code: "EENVELOPE", responseCode: 450 }, "TRANSIENT"],
    ["llm", Object.assign(new Error("x"), { status: 429, code: "insufficient_quota" }), "PERMANENT"],
  ]) {
    assert.equal(classify[by](error).class, want, `${by} ${error.code}`);
    assert.equal(classify.any(error).class, want, `any ${error.code}`);
  }
  assert.equal(classify.mysql({ name: "E", errno: 1213 }).class, "UNKNOWN");
  assert.equal(classify.mongodb({ name: "E", code: 13 }).class, "UNKNOWN");
});
