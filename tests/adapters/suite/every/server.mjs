// What every server does. A driver says how one is started:
//
//   start({ handler, upstreams, options }, lab)   { url, stop }
//
// Its routes: `GET /product/:id`, whose answer is what `handler({ callOptions, id })` returns as JSON; `GET /plain`, which throws an
// error of no call; `GET /health`; and `GET /shop/:shop/item/:item`, which is of a part that is mounted there.

import { once } from "node:events";
import { connect } from "node:net";
import { Budget, backoff, CircuitBreaker, Keyed, KeyedPolicy, Policy, redressFetch } from "redress";
import { assert, test } from "../../lab/harness.mjs";
import { startScripted } from "../../lab/server.mjs";

const retry = { strategy: backoff.constant(1), maxAttempts: 1 };
const busy = () => Promise.reject(Object.assign(new Error("the secret of the upstream"), { status: 503 }));

export function everyServer(driver) {
  const named = (name, body) => test(`${driver.name}: ${name}`, body);
  const start = (parts, lab) => driver.start({ upstreams: {}, options: {}, ...parts }, lab);
  const answered = async (url, headers) => {
    const response = await fetch(url, { headers });
    return { status: response.status, text: await response.text(), retryAfter: response.headers.get("retry-after") };
  };

  named("an open breaker is 503 with Retry-After in whole seconds, rounded up", async (lab) => {
    let now = 0;
    const circuitBreaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 2_200, clock: () => now });
    const policy = new Policy({ circuitBreaker, retry });
    const handler = ({ callOptions }) => policy.call(busy, callOptions());
    const { url } = await start({ handler }, lab);
    assert.equal((await answered(`${url}/product/7`)).status, 502);
    const open = { status: 503, text: "the service is not available" };
    assert.deepEqual(await answered(`${url}/product/7`), { ...open, retryAfter: "3" });
    now = 1_200;
    assert.deepEqual(await answered(`${url}/product/7`), { ...open, retryAfter: "1" });
    policy.isolate();
    assert.deepEqual(await answered(`${url}/product/7`), { ...open, retryAfter: null });
  });

  named("a budget that is spent is 503, any other failure 502, without the text of the error", async (lab) => {
    const spent = new Policy({ retry: { ...retry, maxAttempts: 3, budget: new Budget({ maxRetries: 0 }) } });
    const policy = new Policy({ retry });
    const handler = ({ callOptions, id }) => (id === "spent" ? spent : policy).call(busy, callOptions());
    const { url } = await start({ handler }, lab);
    const { status, text } = await answered(`${url}/product/spent`);
    assert.deepEqual([status, text], [503, "the service is not available"]);
    assert.deepEqual(await answered(`${url}/product/7`), {
      status: 502,
      text: "a service has failed",
      retryAfter: null,
    });
  });

  named("an error of no call is the framework's", async (lab) => {
    const { url } = await start({}, lab);
    assert.equal((await answered(`${url}/plain`)).status, 500);
  });

  for (const [header, value, mostMs] of [
    ["x-request-deadline", "4000", 4_000],
    ["grpc-timeout", "3S", 3_000],
    ["grpc-timeout", "2500m", 2_500],
    ["grpc-timeout", "1500000u", 1_500],
  ]) {
    named(`${header}: ${value} is the deadline of the calls`, async (lab) => {
      const { url } = await start({ handler: ({ callOptions }) => callOptions().deadlineMs }, lab);
      const ms = Number((await answered(`${url}/product/7`, { [header]: value })).text);
      assert.ok(ms <= mostMs && ms > mostMs - 1_000, `${ms}`);
    });
  }

  named("the shorter of two deadlines counts, and the policy's if that is shorter", async (lab) => {
    const policy = new Policy({ retry: { ...retry, deadlineMs: 700 } });
    const usual = new Policy({ retry });
    const handler = ({ callOptions, id }) => callOptions({ policy, usual }[id]).deadlineMs;
    const { url } = await start({ handler }, lab);
    const both = { "x-request-deadline": "90000", "grpc-timeout": "80S" };
    assert.ok(Number((await answered(`${url}/product/none`, both)).text) <= 80_000);
    assert.equal((await answered(`${url}/product/policy`, both)).text, "700");
    assert.equal((await answered(`${url}/product/usual`, both)).text, "60000");
    assert.ok(Number((await answered(`${url}/product/policy`, { "x-request-deadline": "300" })).text) <= 300);
  });

  named("without a header a call has its policy's deadline, unless the server has one for all", async (lab) => {
    const handler = ({ callOptions }) => callOptions().deadlineMs ?? "none";
    const without = await start({ handler }, lab);
    assert.equal((await answered(`${without.url}/product/7`)).text, '"none"');
    const { url } = await start({ handler, options: { atMostMs: 5_000 } }, lab);
    for (const headers of [{}, { "x-request-deadline": "90000" }]) {
      const ms = Number((await answered(`${url}/product/7`, headers)).text);
      assert.ok(ms <= 5_000 && ms > 4_000, `${ms}`);
    }
  });

  for (const [header, value, expected] of [
    ["x-request-deadline", "soon", "a whole number of milliseconds"],
    ["x-request-deadline", "-1", "a whole number of milliseconds"],
    ["x-request-deadline", "1.5", "a whole number of milliseconds"],
    ["grpc-timeout", "5", "1 to 8 digits and one of H, M, S, m, u and n"],
    ["grpc-timeout", "123456789m", "1 to 8 digits and one of H, M, S, m, u and n"],
  ]) {
    named(`${header}: ${value} is 400, and is not handled`, async (lab) => {
      let handled = 0;
      const { url } = await start({ handler: () => (handled += 1) }, lab);
      const { status, text } = await answered(`${url}/product/7`, { [header]: value });
      assert.deepEqual([status, text, handled], [400, `${header}: "${value}" is not ${expected}`, 0]);
    });
  }

  named("a call that is under way at the deadline is 504, and is ended", async (lab) => {
    const upstream = await startScripted(["hang"], lab);
    const policy = new Policy({ retry });
    const read = ({ signal }) => fetch(upstream.url, { signal });
    const { url } = await start({ handler: ({ callOptions }) => policy.call(read, callOptions(policy)) }, lab);
    const late = await answered(`${url}/product/7`, { "x-request-deadline": "150" });
    assert.deepEqual([late.status, late.text], [504, "the request took too long"]);
    await upstream.until(() => upstream.requests.every(({ isClosed }) => isClosed));
  });

  named("so is a request of a client that knows a signal and no deadline", async (lab) => {
    const upstream = await startScripted(["hang"], lab);
    const get = redressFetch(new Policy({ retry }));
    const handler = ({ callOptions, id }) =>
      (id === "plain" ? fetch : get)(upstream.url, { signal: callOptions().signal });
    const { url } = await start({ handler }, lab);
    for (const id of ["plain", "policy"]) {
      assert.equal((await answered(`${url}/product/${id}`, { "x-request-deadline": "150" })).status, 504, id);
    }
    await upstream.until(() => upstream.requests.every(({ isClosed }) => isClosed));
  });

  named("the operation is the route's template, never the path", async (lab) => {
    const policy = new Policy({ retry });
    const operations = [];
    const onAttemptStart = ({ operation }) => operations.push(operation);
    const handler = ({ callOptions }) => policy.call(() => 1, { ...callOptions(), onAttemptStart });
    const { url } = await start({ handler }, lab);
    for (const path of ["/product/7", "/product/a%20b?x=1", "/shop/12/item/8"]) await answered(url + path);
    assert.deepEqual(operations, ["GET /product/:id", "GET /product/:id", "GET /shop/:shop/item/:item"]);
  });

  if (driver.hangsUp !== false) {
    named("a client that goes away ends the calls that were made for it, and no breaker counts it", async (lab) => {
      const upstream = await startScripted(["hang"], lab);
      const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
      const ended = [];
      const policy = new Policy({ circuitBreaker, retry, onEvent: ({ event }) => ended.push(event) });
      const read = ({ signal }) => fetch(upstream.url, { signal });
      const { url } = await start({ handler: ({ callOptions }) => policy.call(read, callOptions()) }, lab);
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      socket.write("GET /product/7 HTTP/1.1\r\nhost: x\r\n\r\n");
      await upstream.until(() => upstream.requests.length === 1);
      socket.destroy();
      await upstream.until(() => upstream.requests[0].isClosed);
      assert.deepEqual([ended, circuitBreaker.state], [["aborted"], "closed"]);
    });
  }

  named("a handler that answers leaves its signal alone", async (lab) => {
    let signal;
    const handler = ({ callOptions }) => (({ signal } = callOptions()), "done");
    const { url } = await start({ handler }, lab);
    await answered(`${url}/product/7`, { "x-request-deadline": "60000" });
    assert.equal(signal.aborted, false);
  });

  named("the health route tells the state of breakers and budgets, by name and by key", async (lab) => {
    const circuitBreaker = new CircuitBreaker({ failureThreshold: 1 });
    const policy = new Policy({ circuitBreaker, retry: { ...retry, budget: new Budget({ maxRetries: 4 }) } });
    const hosts = new Keyed(CircuitBreaker, { capacity: 5, failureThreshold: 2 });
    const byHost = new KeyedPolicy({ circuitBreaker: hosts, retry });
    const own = { admit: () => ({ ok: true, permit: 1, halfOpened: false }), settle: () => null, state: "closed" };
    const upstreams = {
      orders: policy,
      hosts,
      alone: new Budget({ maxRetries: 2 }),
      own: new Policy({ circuitBreaker: own }),
    };
    const { url } = await start({ handler: () => 1, upstreams }, lab);
    await policy.execute(busy);
    await byHost.at("a.example").execute(busy);
    const { status, text } = await answered(`${url}/health`);
    const { status: said, upstreams: states } = JSON.parse(text);
    assert.deepEqual([status, said], [200, "ready"]);
    assert.deepEqual([states.orders.breaker.state, states.orders.budget], ["open", { remaining: 4 }]);
    assert.equal(states.hosts["a.example"].breaker.failures, 1);
    assert.deepEqual([states.alone, states.own], [{ budget: { remaining: 2 } }, { breaker: { state: "closed" } }]);
  });

  if (driver.drains !== false) {
    named("on shutdown a call that waits ends, one in flight goes on, and health says stopping", async (lab) => {
      const upstream = await startScripted(["stream"], lab);
      const waits = new Policy({ retry: { strategy: backoff.constant(60_000), maxAttempts: 2, deadlineMs: null } });
      const reads = new Policy({ retry });
      let wait;
      const waiting = new Promise((resolve) => (wait = resolve));
      const handler = ({ callOptions, id }) =>
        id === "waits"
          ? waits.call(busy, { ...callOptions(), onEvent: wait })
          : reads.call(async ({ signal }) => (await fetch(upstream.url, { signal })).text(), callOptions());
      const upstreams = { waits, reads };
      const { url, stop, health } = await start({ handler, upstreams }, lab);
      const [ended, done] = ["waits", "reads"].map((id) => answered(`${url}/product/${id}`));
      await waiting;
      await upstream.until(() => upstream.requests.length === 1);
      const stopped = stop();
      assert.equal((await ended).status, 502);
      assert.equal(health(upstreams).body.status, "stopping");
      upstream.rest();
      assert.equal((await done).text, '"first,the rest"');
      await stopped;
      await assert.rejects(fetch(`${url}/health`));
    });
  }

  named("what is wrong is refused where it is written", () => {
    assert.throws(() => driver.requests({ atMostMs: -1 }), /requests\.atMostMs: -1 is out of range/);
    assert.throws(
      () => driver.health({ orders: {} }),
      /health\.upstreams\.orders: an object is not a policy, a breaker, a budget/,
    );
    assert.throws(() => driver.callOptions({}), /comes before the handlers that ask for callOptions/);
  });
}
