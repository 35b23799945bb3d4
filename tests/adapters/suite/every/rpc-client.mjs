// What every client of gRPC does behind a policy. A driver says how one is made and asked:
//
//   client(address, policy, options, { cleanup })
//   get(client, item, { timeoutMs, signal, headers })     the price, or what it throws
//   watch(client, item)                                   the messages of a stream, asynchronously
//   codeOf(error)

import { backoff, CircuitBreaker, CircuitOpenError, Keyed, KeyedPolicy, outcomeOf } from "redress";
import { startPrices } from "../../lab/grpc.mjs";
import { assert, test, thrown } from "../../lab/harness.mjs";
import { quick } from "./policy.mjs";

const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
const RESOURCE_EXHAUSTED = 8;

export function everyRpcClient(driver) {
  const { get } = driver;
  const named = (name, body) => test(`${driver.name}: ${name}`, body);
  const client = (server, policy, options, lab) => driver.client(server.address, policy, options, lab);

  named("a status that may pass is retried, and each retry says how many attempts there were", async (lab) => {
    const server = await startPrices([UNAVAILABLE, UNAVAILABLE, 0], lab);
    assert.equal(await get(client(server, quick(), {}, lab), "tea"), "price of tea");
    assert.deepEqual(
      server.calls.map(({ metadata, request }) => [metadata["grpc-previous-rpc-attempts"], request]),
      [
        [undefined, "tea"],
        ["1", "tea"],
        ["2", "tea"],
      ],
    );
  });

  named("the server's pushback is what the policy waits for", async (lab) => {
    const server = await startPrices(
      [{ code: RESOURCE_EXHAUSTED, metadata: { "grpc-retry-pushback-ms": "30" } }, 0],
      lab,
    );
    const retries = [];
    const onEvent = ({ event, sleepMs, class: kind }) => event === "retry" && retries.push([sleepMs, kind]);
    const policy = quick({ strategy: backoff.retryAfterOr(backoff.constant(1), { jitterMs: 0 }) });
    await get(client(server, policy, { onEvent }, lab), "tea");
    assert.deepEqual(retries, [[30, "RATE_LIMIT"]]);
  });

  named("a server that asks for no further attempt gets none", async (lab) => {
    const server = await startPrices([{ code: UNAVAILABLE, metadata: { "grpc-retry-pushback-ms": "-1" } }], lab);
    assert.equal(driver.codeOf(await thrown(get(client(server, quick(), {}, lab), "tea"))), UNAVAILABLE);
    assert.equal(server.calls.length, 1);
  });

  named("UNAUTHENTICATED is AUTH: it is not retried, and is the client's own", async (lab) => {
    const server = await startPrices([UNAUTHENTICATED], lab);
    const error = await thrown(get(client(server, quick(), {}, lab), "tea"));
    assert.equal(driver.codeOf(error), UNAUTHENTICATED);
    assert.equal(server.calls.length, 1);
    assert.equal((outcomeOf(error) ?? outcomeOf(error.cause)).lastClass, "AUTH");
  });

  named("the last of several failures is the client's own", async (lab) => {
    const server = await startPrices([UNAVAILABLE], lab);
    const error = await thrown(get(client(server, quick(), {}, lab), "tea"));
    assert.equal(driver.codeOf(error), UNAVAILABLE);
    assert.match(error.message, /status 14/);
    assert.equal(server.calls.length, 3);
    assert.equal((outcomeOf(error) ?? outcomeOf(error.cause)).stopReason, "MAX_ATTEMPTS_GLOBAL");
  });

  named("a connection that is cut in a call is TRANSIENT, and the call is repeated", async (lab) => {
    const server = await startPrices(["hang", 0], lab);
    const price = get(client(server, quick(), {}, lab), "tea");
    await server.until(() => server.calls.length === 1);
    server.cut();
    assert.equal(await price, "price of tea");
  });

  named("an attempt that hangs is cancelled at the end of its time, and another follows", async (lab) => {
    const server = await startPrices(["hang", 0], lab);
    assert.equal(await get(client(server, quick({ attemptTimeoutMs: 800 }), {}, lab), "tea"), "price of tea");
    await server.until(() => server.calls[0].isCancelled);
  });

  named("the deadline is handed on, that of the attempt and that of the call", async (lab) => {
    const server = await startPrices([0], lab);
    const left = (call) => Number(call.deadline) - Date.now();
    await get(client(server, quick({ deadlineMs: 30_000 }), {}, lab), "tea");
    assert.ok(left(server.calls[0]) <= 30_001 && left(server.calls[0]) > 20_000, `${left(server.calls[0])}`);
    await get(client(server, quick({ attemptTimeoutMs: 9_000 }), {}, lab), "tea");
    assert.ok(left(server.calls[1]) <= 9_001, `${left(server.calls[1])}`);
    await get(client(server, quick(), {}, lab), "tea", { timeoutMs: 8_000 });
    assert.ok(left(server.calls[2]) <= 8_001, `${left(server.calls[2])}`);
  });

  named("the deadline of a call ends all of its attempts", async (lab) => {
    const server = await startPrices(["hang"], lab);
    const ended = [];
    const onEvent = ({ event }) => event === "retry" || ended.push(event);
    const one = client(server, quick({ attemptTimeoutMs: 200, maxAttempts: null }), { onEvent }, lab);
    const error = await thrown(get(one, "tea", { timeoutMs: 500 }));
    assert.equal(driver.codeOf(error), DEADLINE_EXCEEDED, String(error));
    assert.equal(ended.length, 1);
  });

  named("the caller's abort cancels the call, and nothing is repeated", async (lab) => {
    const server = await startPrices(["hang"], lab);
    const controller = new AbortController();
    const error = thrown(get(client(server, quick(), {}, lab), "tea", { signal: controller.signal }));
    await server.until(() => server.calls.length === 1);
    controller.abort();
    assert.equal(driver.codeOf(await error), 1, String(await error));
    await server.until(() => server.calls[0].isCancelled);
    assert.equal(server.calls.length, 1);
  });

  named("an open breaker is UNAVAILABLE without a call, with the CircuitOpenError as the cause", async (lab) => {
    const server = await startPrices([UNAVAILABLE], lab);
    const one = client(
      server,
      quick({ maxAttempts: 1 }, { circuitBreaker: new CircuitBreaker({ failureThreshold: 1 }) }),
      {},
      lab,
    );
    await thrown(get(one, "tea"));
    const error = await thrown(get(one, "tea"));
    assert.equal(driver.codeOf(error), UNAVAILABLE);
    assert.ok(error.cause instanceof CircuitOpenError, String(error.cause));
    assert.equal(server.calls.length, 1);
  });

  named("a method that must not be repeated is sent once", async (lab) => {
    const server = await startPrices([UNAVAILABLE], lab);
    const sendOnce = (method) => method === "shop.Prices/Get";
    await thrown(get(client(server, quick(), { sendOnce }, lab), "tea"));
    assert.equal(server.calls.length, 1);
  });

  named("a key is made once for a call if it is wanted", async (lab) => {
    const server = await startPrices([UNAVAILABLE, 0], lab);
    const one = client(server, quick(), { idempotencyKey: () => `key ${server.calls.length}` }, lab);
    await get(one, "tea");
    await get(one, "tea");
    const keys = server.calls.map(({ metadata }) => metadata["idempotency-key"]);
    assert.deepEqual(keys, ["key 0", "key 0", "key 2"]);
  });

  named("events name the service and the method", async (lab) => {
    const server = await startPrices([0], lab);
    const operations = [];
    await get(client(server, quick(), { onAttemptStart: ({ operation }) => operations.push(operation) }, lab), "tea");
    assert.deepEqual(operations, ["shop.Prices/Get"]);
  });

  named("a stream goes on as it is, with its first message at once", async (lab) => {
    const server = await startPrices([0], lab);
    const attempts = [];
    const messages = [];
    const onAttemptStart = ({ attempt }) => attempts.push(attempt);
    for await (const message of driver.watch(client(server, quick(), { onAttemptStart }, lab), "tea")) {
      messages.push(message);
      server.rest();
    }
    assert.deepEqual([messages, attempts], [["tea 1", "2"], []]);
  });

  named("headers of the caller go with each attempt", async (lab) => {
    const server = await startPrices([UNAVAILABLE, 0], lab);
    await get(client(server, quick(), {}, lab), "tea", { headers: { "x-one": "1" } });
    assert.deepEqual(
      server.calls.map(({ metadata }) => metadata["x-one"]),
      ["1", "1"],
    );
  });

  named("a signal for all calls of a client cancels those under way", async (lab) => {
    const server = await startPrices(["hang"], lab);
    const controller = new AbortController();
    const error = thrown(get(client(server, quick(), { signal: controller.signal }, lab), "tea"));
    await server.until(() => server.calls.length === 1);
    controller.abort();
    assert.equal(driver.codeOf(await error), 1, String(await error));
    await server.until(() => server.calls[0].isCancelled);
  });

  named("the caller's abort ends a delay", async (lab) => {
    const server = await startPrices([UNAVAILABLE], lab);
    const controller = new AbortController();
    const onEvent = ({ event }) => event === "retry" && controller.abort();
    const policy = quick({ strategy: backoff.constant(60_000), deadlineMs: null });
    const error = await thrown(get(client(server, policy, { onEvent }, lab), "tea", { signal: controller.signal }));
    assert.deepEqual([driver.codeOf(error), server.calls.length], [1, 1], String(error));
  });

  named("a policy by key is asked for the service", async (lab) => {
    const server = await startPrices([0], lab);
    const breakers = new Keyed(CircuitBreaker, { capacity: 5 });
    const policy = new KeyedPolicy({ circuitBreaker: breakers, retry: { strategy: backoff.constant(1) } });
    await get(client(server, policy, {}, lab), "tea");
    assert.deepEqual([...breakers.keys()], ["shop.Prices"]);
  });

  named("a wrong option is refused where the client is made", (lab) => {
    const server = { address: "127.0.0.1:1" };
    assert.throws(
      () => client(server, quick(), { sendOnce: "shop.Prices/Get" }, lab),
      /sendOnce: "shop\.Prices\/Get" is not a function/,
    );
    assert.throws(() => client(server, quick(), { attempts: 3 }, lab), /attempts is no option/);
    assert.throws(() => client(server, {}, {}, lab), /policy: an object is not a policy/);
  });
}
