// From anything that can be thrown or returned to a class.

import {
  CircuitOpenError,
  ConcurrencyError,
  classify,
  isRedressError,
  PermanentError,
  RateLimitError,
  RetryExhaustedError,
  ServerError,
} from "redress";
import { assert, describe, test } from "./harness.js";
import { failure, script, stage } from "./stage.js";

const classOf = (classification) => (typeof classification === "string" ? classification : classification.class);
const hintOf = (classification) => (typeof classification === "string" ? undefined : classification.retryAfterMs);

describe("classification");

test("the order is type, number, name, unknown", () => {
  const timeout = Object.assign(new Error("slow"), { name: "TimeoutError", status: 404 });
  const table = [
    [new PermanentError("no"), "PERMANENT"],
    [new RateLimitError("slow down"), "RATE_LIMIT"],
    [new ConcurrencyError("again"), "CONCURRENCY"],
    [new ServerError("oops"), "SERVER_ERROR"],
    [Object.assign(new PermanentError("no"), { status: 503 }), "PERMANENT"],
    [new DOMException("slow", "TimeoutError"), "TRANSIENT"],
    [timeout, "TRANSIENT"],
    [Object.assign(new Error("x"), { name: "AuthFailure", status: 503 }), "SERVER_ERROR"],
    [Object.assign(new Error("x"), { name: "AuthFailure" }), "AUTH"],
    [new Error("x"), "UNKNOWN"],
  ];
  for (const [error, want] of table) assert.equal(classOf(classify.default(error)), want, String(error));
});

test("a status has its class", () => {
  const table = {
    401: "AUTH",
    402: "PERMANENT",
    407: "AUTH",
    418: "PERMANENT",
    421: "TRANSIENT",
    423: "CONCURRENCY",
    425: "TRANSIENT",
    403: "PERMISSION",
    400: "PERMANENT",
    404: "PERMANENT",
    422: "PERMANENT",
    409: "CONCURRENCY",
    408: "TRANSIENT",
    429: "RATE_LIMIT",
    500: "SERVER_ERROR",
    501: "SERVER_ERROR",
    599: "SERVER_ERROR",
    600: "UNKNOWN",
  };
  for (const [status, want] of Object.entries(table)) {
    assert.equal(classOf(classify.default(failure(Number(status)))), want);
    assert.equal(classOf(classify.strict(failure(Number(status)))), want);
    assert.equal(classOf(classify.http(failure(Number(status)))), want);
    // A bare code may be any library's: what only HTTP says of it does not count.
    const ofHttp = ["402", "407", "418", "421", "423", "425"].includes(status);
    assert.equal(classOf(classify.default({ code: Number(status) })), ofHttp ? "UNKNOWN" : want);
  }
  const named = Object.assign(failure(418), { name: "ReadTimeout" });
  assert.equal(classOf(classify.default(named)), "TRANSIENT");
  assert.equal(classOf(classify.strict(named)), "PERMANENT");
});

test("a name speaks in the default rules and never in the strict ones", () => {
  const table = {
    AuthError: "AUTH",
    UnauthorizedError: "AUTH",
    CredentialFault: "AUTH",
    ForbiddenError: "PERMISSION",
    PermissionDenied: "PERMISSION",
    ReadTimeout: "TRANSIENT",
    ConnectionReset: "TRANSIENT",
  };
  for (const [name, want] of Object.entries(table)) {
    const error = Object.assign(new Error("x"), { name });
    assert.equal(classOf(classify.default(error)), want);
    assert.equal(classOf(classify.strict(error)), "UNKNOWN");
  }
  assert.equal(classOf(classify.strict(failure(503))), "SERVER_ERROR");
  assert.equal(classOf(classify.strict(new DOMException("", "TimeoutError"))), "TRANSIENT");
});

test("no thrown value makes a classifier stumble", () => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error("getter");
      },
      has() {
        throw new Error("has");
      },
    },
  );
  const throwing = {
    get status() {
      throw new Error("status");
    },
    get name() {
      throw new Error("name");
    },
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const values = [
    undefined,
    null,
    "text",
    "",
    0,
    503,
    NaN,
    true,
    Symbol("s"),
    10n,
    () => {},
    [],
    {},
    Object.create(null),
    hostile,
    throwing,
    revoked.proxy,
    { status: "503" },
    { status: NaN },
    { status: {} },
    { name: 7 },
  ];
  for (const classifier of [classify.default, classify.strict, classify.http]) {
    for (const value of values) assert.isString(classOf(classifier(value) ?? "UNKNOWN"));
  }
  assert.equal(classOf(classify.default(hostile)), "UNKNOWN");
  assert.equal(classOf(classify.default(throwing)), "UNKNOWN");
});

test("a Response is a class and a Retry-After", () => {
  const response = (status, headers) => new Response(null, { status, headers });
  assert.isNull(classify.http(response(200)));
  assert.isNull(classify.http(response(204)));
  const limited = classify.http(response(429, { "Retry-After": "7" }));
  assert.equal(classOf(limited), "RATE_LIMIT");
  assert.equal(hintOf(limited), 7_000);
  const down = classify.http(response(503, { "retry-after": "2" }));
  assert.equal(classOf(down), "SERVER_ERROR");
  assert.equal(hintOf(down), 2_000);
  const date = new Date(Date.now() + 60_000).toUTCString();
  assert.closeTo(hintOf(classify.http(response(429, { "retry-after": date }))), 60_000, 2_000);
  assert.equal(hintOf(classify.http(response(429, { "retry-after": "soon" }))), undefined);
  const reset = classify.http(response(429, { "ratelimit-reset": "9" }));
  assert.equal(hintOf(reset), 9_000);
  // A server that fails says nothing with it: the quota is not what is used up.
  assert.equal(hintOf(classify.http(response(503, { "ratelimit-reset": "3600" }))), undefined);
});

test("a hint counts with every class that is retried, and makes 403 and 413 a limit", () => {
  for (const [status, name, hintMs] of [
    [401, "AUTH", undefined],
    [403, "RATE_LIMIT", 1_500],
    [404, "PERMANENT", undefined],
    [409, "CONCURRENCY", 1_500],
    [413, "RATE_LIMIT", 1_500],
    [500, "SERVER_ERROR", 1_500],
  ]) {
    const classification = classify.http(new Response(null, { status, headers: { "Retry-After": "1.5" } }));
    assert.equal(classOf(classification), name);
    assert.equal(hintOf(classification), hintMs);
  }
  const long = classify.http(new Response(null, { status: 429, headers: { "Retry-After": "99999999999999999999" } }));
  assert.isTrue(Number.isFinite(hintOf(long)) && hintOf(long) > 1e15);
});

test("the quota that is used up says when to come back, and no other", () => {
  const inAnHour = String(Math.floor(Date.now() / 1_000) + 3_600);
  const github = (status, remaining, more) =>
    classify.http(
      new Response(null, {
        status,
        headers: { "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": inAnHour, ...more },
      }),
    );
  assert.equal(classOf(github(403, "4999")), "PERMISSION");
  assert.equal(hintOf(github(403, "4999")), undefined);
  assert.equal(classOf(github(403, "0")), "RATE_LIMIT");
  assert.closeTo(hintOf(github(403, "0")), 3_600_000, 2_000);
  assert.equal(hintOf(github(500, "0")), undefined);
  assert.equal(hintOf(github(429, "4999")), undefined);
  assert.equal(hintOf(github(429, "0", { "Retry-After": "7" })), 7_000);
  assert.equal(hintOf(github(429, "0", { "retry-after-ms": "700" })), 700);
  const models = { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m30s" };
  assert.equal(hintOf(classify.http(failure(429, { headers: models }))), 90_000);
});

test("an error that carries status and headers is read like a Response", () => {
  for (const headers of [
    { "Retry-After": "3" },
    { "RETRY-AFTER": "3" },
    new Headers({ "retry-after": "3" }),
    new Map([["retry-after", "3"]]),
    [["Retry-After", "3"]],
  ]) {
    const direct = classify.http(failure(429, { headers }));
    assert.equal(hintOf(direct), 3_000);
    const nested = classify.http(Object.assign(new Error("axios"), { response: { status: 429, headers } }));
    assert.equal(classOf(nested), "RATE_LIMIT");
    assert.equal(hintOf(nested), 3_000);
  }
});

test("a Node system error has the class of its code", () => {
  for (const code of [
    "ECONNRESET",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "EPIPE",
    "EAI_AGAIN",
    "UND_ERR_CONNECT_TIMEOUT",
    "ERR_NETWORK",
    "ERR_STREAM_PREMATURE_CLOSE",
  ]) {
    const error = Object.assign(new Error(code), { code });
    assert.equal(classOf(classify.default(error)), "TRANSIENT", code);
    const wrapped = new TypeError("fetch failed", { cause: error });
    assert.equal(classOf(classify.http(wrapped)), "TRANSIENT", code);
  }
});

test("a classification is taken wherever a class is", async () => {
  for (const classifier of [() => "RATE_LIMIT", () => ({ class: "RATE_LIMIT", details: { from: "us" } })]) {
    const { execute } = stage({ retry: { strategy: () => 0, classifier, maxAttempts: 2 } });
    assert.equal((await execute(script(new Error("x")))).lastClass, "RATE_LIMIT");
  }
});

test("a classifier that throws or answers nonsense means UNKNOWN, and is reported once", async () => {
  const bug = new Error("bug");
  for (const classifier of [
    () => {
      throw bug;
    },
    () => "NO_SUCH_CLASS",
    () => 7,
  ]) {
    const reported = [];
    const { execute } = stage({ retry: { strategy: () => 0, classifier, maxUnknownAttempts: 0 } });
    const outcome = await execute(script(new Error("x")), { onHookError: (why) => reported.push(why) });
    assert.equal(outcome.lastClass, "UNKNOWN");
    assert.equal(outcome.stopReason, "MAX_UNKNOWN_ATTEMPTS");
    assert.equal(reported.length, 1);
  }
});

test("an error of another copy of the package is recognised by its name and code", () => {
  const foreign = { name: "RateLimitError", code: new RateLimitError("x").code };
  assert.equal(classOf(classify.default(foreign)), "RATE_LIMIT");
  assert.isTrue(isRedressError(new RateLimitError("x")));
});

test("an error is plain data in JSON, whatever it carries", () => {
  const circular = {};
  circular.self = circular;
  const cause = Object.assign(new Error("reset"), { code: "ECONNRESET", circular });
  const exhausted = new RetryExhaustedError({
    stopReason: "SCHEDULED",
    attempts: 3,
    lastClass: "TRANSIENT",
    lastResult: circular,
    nextSleepMs: 250,
    cause,
  });
  assert.deepEqual(JSON.parse(JSON.stringify(exhausted)), {
    name: "RetryExhaustedError",
    code: "REDRESS_RETRY_EXHAUSTED",
    message: exhausted.message,
    stopReason: "SCHEDULED",
    attempts: 3,
    lastClass: "TRANSIENT",
    nextSleepMs: 250,
    cause: { name: "Error", message: "reset", code: "ECONNRESET" },
  });
  const open = JSON.parse(JSON.stringify(new CircuitOpenError({ state: "open", retryAfterMs: 7 })));
  assert.equal(open.retryAfterMs, 7);
  assert.include(open.message, "open");
});

test("codes of the operating system have the core's classes in classify.system, which asks the default rules first", () => {
  const table = {
    ENOENT: "PERMANENT",
    EACCES: "PERMISSION",
    EBUSY: "CONCURRENCY",
    ENOSPC: "SERVER_ERROR",
    EDQUOT: "RATE_LIMIT",
    EINTR: "TRANSIENT",
  };
  for (const [code, want] of Object.entries(table)) {
    const error = Object.assign(new Error("failed"), { code });
    assert.equal(classify.system(error).class, want, code);
    assert.equal(classify.system({ cause: error }).class, want, code);
    assert.equal(classify.default(error).class, "UNKNOWN", code);
    assert.equal(classify.system(Object.assign(error, { status: 429 })).class, "RATE_LIMIT");
  }
  for (const other of [
    undefined,
    null,
    "ENOENT",
    new Error("x"),
    { code: 7 },
    { code: "ENOSUCH" },
    {
      get code() {
        throw new Error("getter");
      },
    },
  ]) {
    assert.equal(classify.system(other).class, classify.default(other).class);
  }
});

test("a DOMException has the class of its name: connections and time by the default rules, others by classify.system", () => {
  const table = {
    NotAllowedError: "PERMISSION",
    QuotaExceededError: "RATE_LIMIT",
    NotFoundError: "PERMANENT",
    NotReadableError: "TRANSIENT",
    OperationError: "UNKNOWN",
  };
  for (const [name, want] of Object.entries(table)) {
    assert.equal(classify.system(new DOMException("failed", name)).class, want, name);
    assert.equal(classify.default(new DOMException("failed", name)).class, "UNKNOWN", name);
    assert.equal(classify.system(Object.assign(new Error("failed"), { name })).class, "UNKNOWN", name);
  }
  for (const rule of ["default", "strict", "system", "http"]) {
    for (const name of ["NetworkError", "TimeoutError"]) {
      assert.equal(classify[rule](new DOMException("failed", name)).class, "TRANSIENT", `${name} by ${rule}`);
    }
    assert.equal(classify[rule]({ name: "NetworkError" }).class, "UNKNOWN");
  }
});

test("the number of a DOMException's name is no status, but a status of its own is", () => {
  const slow = (own) => Object.defineProperties(new DOMException("slow", "TimeoutError"), own);
  assert.equal(slow({}).code, 23);
  assert.equal(classOf(classify.http(slow({}))), "TRANSIENT");
  assert.equal(classOf(classify.http(slow({ status: { value: 404 } }))), "PERMANENT");
  assert.equal(classOf(classify.http(slow({ code: { value: 401 } }))), "AUTH");
  assert.equal(classOf(classify.http(slow({ code: { value: 0 } }))), "UNKNOWN");
});
