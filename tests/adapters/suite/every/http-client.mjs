// What every client of HTTP does behind a policy. A driver says how one is made and asked:
//
//   client(policy, options)                the client
//   send(client, method, url, { headers, body, signal, redress, raw })   { status, text }, or what it throws; with `raw` the
//                                          response as it is, its body unread
//   textOf(response)                       the body of such a response
//   isAborted(error, reason)               whether it says that the caller aborted
//   statusOf(error)                        the status of an error; undefined for none
//   throwsStatus                           whether a status of 400 and up is thrown
//   once()                                 a body that cannot be sent twice
//   refused                                by which an error says that the connection was refused: its code

import { Budget, backoff, CircuitBreaker, CircuitOpenError, outcomeOf } from "redress";
import { assert, test, thrown } from "../../lab/harness.mjs";
import { refusedUrl, startScripted } from "../../lab/server.mjs";
import { quick } from "./policy.mjs";

/** The last status, thrown or returned. */
async function lastStatus(driver, sent) {
  if (!driver.throwsStatus) return { status: (await sent).status, error: undefined };
  const error = await thrown(sent);
  return { status: driver.statusOf(error), error };
}

export function everyHttpClient(driver) {
  const { client, send } = driver;
  const named = (name, body) => test(`${driver.name}: ${name}`, body);

  named("a status that may pass is retried, and each attempt says its number", async (lab) => {
    const server = await startScripted([503, 503, 200], lab);
    const answer = await send(client(quick()), "GET", `${server.url}/items`);
    assert.deepEqual([answer.status, answer.text], [200, '{"status":200}']);
    assert.deepEqual(
      server.requests.map(({ headers }) => headers["x-request-attempt"]),
      ["1", "2", "3"],
    );
  });

  for (const [status, kind] of [
    [503, "SERVER_ERROR"],
    [429, "RATE_LIMIT"],
  ]) {
    named(`the Retry-After of ${status} is what the policy waits for`, async (lab) => {
      const server = await startScripted([{ status, headers: { "retry-after": "3" } }], lab);
      const policy = quick({ strategy: backoff.retryAfterOr(backoff.constant(1), { jitterMs: 0 }) });
      const controller = new AbortController();
      const retries = [];
      const onEvent = ({ event, sleepMs, class: found }) => {
        if (event !== "retry") return;
        retries.push([sleepMs, found]);
        controller.abort();
      };
      await thrown(send(client(policy, { onEvent }), "GET", server.url, { signal: controller.signal }));
      assert.deepEqual(retries, [[3_000, kind]]);
    });
  }

  named("a connection that is reset is TRANSIENT, and the request is repeated", async (lab) => {
    const server = await startScripted(["reset", "reset", 200], lab);
    const classes = [];
    const onAttemptEnd = ({ class: kind }) => classes.push(kind);
    const answer = await send(client(quick(), { onAttemptEnd }), "GET", server.url);
    assert.equal(answer.status, 200);
    assert.deepEqual(classes, ["TRANSIENT", "TRANSIENT", undefined]);
  });

  named("a connection that is refused each time is thrown as the client throws it", async () => {
    const attempts = [];
    const onAttemptEnd = ({ attempt, class: kind }) => attempts.push([attempt, kind]);
    const error = await thrown(send(client(quick(), { onAttemptEnd }), "GET", await refusedUrl()));
    assert.equal(codeOf(error), "ECONNREFUSED");
    assert.deepEqual(attempts, [
      [1, "TRANSIENT"],
      [2, "TRANSIENT"],
      [3, "TRANSIENT"],
    ]);
    assert.equal(
      outcomeOf(error)?.stopReason ?? outcomeOf(error.cause)?.stopReason,
      driver.outcome ?? "MAX_ATTEMPTS_GLOBAL",
    );
  });

  named("an attempt that hangs ends with its time, and another follows", async (lab) => {
    const server = await startScripted(["hang", 200], lab);
    const answer = await send(client(quick({ attemptTimeoutMs: 400 })), "GET", server.url);
    assert.equal(answer.status, 200);
    await server.until(() => server.requests[0].isClosed);
  });

  named("401 is AUTH: it is not retried, and is the client's own", async (lab) => {
    const server = await startScripted([401], lab);
    const classes = [];
    const onAttemptEnd = ({ class: kind }) => classes.push(kind);
    const { status } = await lastStatus(driver, send(client(quick(), { onAttemptEnd }), "GET", server.url));
    assert.equal(status, 401);
    assert.deepEqual([server.requests.length, classes], [1, ["AUTH"]]);
  });

  named("the last of several failures is the client's own", async (lab) => {
    const server = await startScripted([503, 500, 502], lab);
    const { status, error } = await lastStatus(driver, send(client(quick()), "GET", server.url));
    assert.equal(status, 502);
    if (error !== undefined && driver.outcome === undefined)
      assert.equal(outcomeOf(error).stopReason, "MAX_ATTEMPTS_GLOBAL");
  });

  named("POST is sent once, and costs the budget nothing", async (lab) => {
    const server = await startScripted([503], lab);
    const budget = new Budget({ maxRetries: 5 });
    const { status } = await lastStatus(driver, send(client(quick({ budget })), "POST", server.url, { body: "one" }));
    assert.deepEqual([status, server.requests.length, budget.remaining()], [503, 1, 5]);
  });

  named("POST is repeated where the program allows it", async (lab) => {
    const server = await startScripted([503, 200], lab);
    const answer = await send(client(quick(), { repeatAnyMethod: true }), "POST", server.url, { body: "one" });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      server.requests.map(({ body }) => body),
      ["one", "one"],
    );
  });

  named("POST with an Idempotency-Key is repeated with that key", async (lab) => {
    const server = await startScripted(["reset", 200], lab);
    const headers = { "Idempotency-Key": "mine" };
    const answer = await send(client(quick(), { idempotencyKey: true }), "POST", server.url, { body: "one", headers });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      server.requests.map(({ headers }) => headers["idempotency-key"]),
      ["mine", "mine"],
    );
  });

  named("a key is made once for a call if it is wanted, and never for GET", async (lab) => {
    const server = await startScripted([503, 503, 200], lab);
    const one = client(quick(), { idempotencyKey: true });
    await send(one, "POST", server.url, { body: "one" });
    await send(one, "POST", server.url, { body: "two" });
    await send(one, "GET", server.url);
    const [first, ...keys] = server.requests.map(({ headers }) => headers["idempotency-key"]);
    assert.match(first, /^[0-9a-f-]{36}$/);
    assert.deepEqual(keys.slice(0, 2), [first, first]);
    assert.match(keys[2], /^[0-9a-f-]{36}$/);
    assert.notEqual(keys[2], first);
    assert.equal(keys[3], undefined);
  });

  if (driver.once !== undefined) {
    named("a body that cannot be sent twice is sent once", async (lab) => {
      const server = await startScripted([503, 200], lab);
      const { status } = await lastStatus(driver, send(client(quick()), "PUT", server.url, { body: driver.once() }));
      assert.deepEqual([status, server.requests.length, server.requests[0].body], [503, 1, "a stream"]);
    });
  }

  named("the caller's abort ends a request under way, which the server sees", async (lab) => {
    const server = await startScripted(["hang"], lab);
    const controller = new AbortController();
    const sent = send(client(quick()), "GET", server.url, { signal: controller.signal });
    const error = thrown(sent);
    await server.until(() => server.requests.length === 1);
    controller.abort();
    assert.ok(driver.isAborted(await error, controller.signal.reason), String(await error));
    await server.until(() => server.requests[0].isClosed);
    assert.equal(server.requests.length, 1);
  });

  named("the caller's abort ends a delay", async (lab) => {
    const server = await startScripted([503], lab);
    const controller = new AbortController();
    const onEvent = ({ event }) => event === "retry" && controller.abort();
    const policy = quick({ strategy: backoff.constant(60_000), deadlineMs: null });
    const sent = send(client(policy, { onEvent }), "GET", server.url, { signal: controller.signal });
    const error = await thrown(sent);
    assert.ok(driver.isAborted(error, controller.signal.reason), String(error));
    assert.equal(server.requests.length, 1);
  });

  named("an open breaker rejects without a request, as a CircuitOpenError", async (lab) => {
    const server = await startScripted([503], lab);
    const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
    const one = client(quick({ maxAttempts: 1 }, { circuitBreaker }));
    await lastStatus(driver, send(one, "GET", server.url));
    const error = await thrown(send(one, "GET", server.url));
    assert.ok(error instanceof CircuitOpenError || error.cause instanceof CircuitOpenError, String(error));
    assert.equal(server.requests.length, 1);
  });

  named("what is left of the deadline is handed on, and shrinks; that of the attempt if it is less", async (lab) => {
    const server = await startScripted([503, 200, 200], lab);
    const policy = quick({ deadlineMs: 9_000, strategy: backoff.constant(20) });
    await send(client(policy), "GET", server.url);
    await send(client(quick({ attemptTimeoutMs: 4_000 })), "GET", server.url);
    const [first, second, third] = server.requests.map(({ headers }) => Number(headers["x-request-deadline"]));
    assert.ok(first <= 9_000 && first > 5_000, `${first}`);
    assert.ok(second <= first - 19, `${first} ${second}`);
    assert.ok(third <= 4_000 && third > 3_000, `${third}`);
  });

  named("a call has a deadline of its own, but not a longer one than the policy's", async (lab) => {
    const [hanging, server] = [await startScripted(["hang"], lab), await startScripted([200], lab)];
    const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
    const ended = [];
    const onEvent = ({ event }) => ended.push(event);
    const one = client(quick({ deadlineMs: 9_000 }, { circuitBreaker }), { onEvent });
    await thrown(send(one, "GET", hanging.url, { redress: { deadlineMs: 100 } }));
    // It says nothing of the upstream that a call had so little time.
    assert.deepEqual([ended, circuitBreaker.state], [["deadline_exceeded"], "closed"]);
    await send(one, "GET", server.url, { redress: { deadlineMs: 50_000 } });
    assert.ok(Number(server.requests[0].headers["x-request-deadline"]) <= 9_000);
  });

  named("events name method and host, and nothing of the path", async (lab) => {
    const server = await startScripted([200], lab);
    const operations = [];
    const onAttemptStart = ({ operation }) => operations.push(operation);
    await send(client(quick(), { onAttemptStart }), "GET", `${server.url}/users/7?token=secret`);
    assert.deepEqual(operations, [`GET ${server.host}`]);
  });

  named("headers of its own are left out where the program says so", async (lab) => {
    const server = await startScripted([200], lab);
    await send(client(quick(), { attemptHeader: false, deadlineHeader: false }), "GET", server.url);
    const [{ headers }] = server.requests;
    assert.equal(headers["x-request-attempt"] ?? headers["x-request-deadline"], undefined);
  });

  if (driver.textOf !== undefined) {
    named("a body that streams is not waited for, nor ended by the attempt's time", async (lab) => {
      const server = await startScripted(["stream"], lab);
      const response = await send(client(quick({ attemptTimeoutMs: 5_000 })), "GET", server.url, { raw: true });
      server.rest();
      assert.equal(await driver.textOf(response), "first,the rest");
    });
  }

  named("a wrong option is refused where the client is made", () => {
    assert.throws(() => client(quick(), { repeatAnyMethod: "yes" }), /repeatAnyMethod: "yes" is not true or false/);
    assert.throws(() => client(quick(), { attempts: 3 }), /attempts is no option/);
    assert.throws(() => client({}), /policy: an object is not a policy/);
  });
}

/** The code by which an error, or one that it wraps, says what failed. */
export function codeOf(error) {
  for (let one = error; one !== undefined; one = one.cause ?? one.errors?.[0]) {
    if (typeof one.code === "string" && one.code.startsWith("ECONN")) return one.code;
  }
  return error.code;
}
