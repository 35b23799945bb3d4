// Runs the suite in a worker of workerd, with what only workerd has.

import { backoff, classify, Policy } from "redress";
import { deferMessage, RedressState } from "redress/durable";
import "../suite/edge.js";
import { runSuite } from "../suite/index.js";

export { RedressState };

/** State by a clock that a test moves, `/advance?ms=300`; `/writes` says how often it wrote to its storage. */
export class ClockedState extends RedressState {
  #now = 1_000_000;
  #writes = 0;

  constructor({ storage }) {
    const counted = (key, value) => {
      this.#writes += 1;
      return storage.put(key, value);
    };
    super({ storage: { get: (key) => storage.get(key), put: counted } });
  }

  now() {
    return this.#now;
  }

  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/writes") return Response.json(this.#writes);
    if (pathname !== "/advance") return super.fetch(request);
    this.#now += Number(searchParams.get("ms"));
    return new Response();
  }
}

/** An object that waits for another one's answer. */
export class HungState {
  fetch(request) {
    return fetch(request);
  }
}

const jobs = new Policy({
  retry: {
    resultClassifier: classify.http,
    strategy: backoff.retryAfterOr(backoff.constant(1_000), { jitterMs: 0 }),
  },
});

const hurried = new Policy({ retry: { strategy: backoff.constant(0), deadlineMs: 100 } });

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/hurried") {
      const ms = Number(searchParams.get("ms"));
      const outcome = await hurried.execute(() => new Promise((done) => ms > 0 && setTimeout(done, ms)));
      return Response.json(outcome.stopReason);
    }
    const { base, filter } = await request.json();
    return Response.json(await runSuite({ runtime: "workerd", base, filter, env }));
  },

  async queue(batch) {
    for (const message of batch.messages) {
      const { url, deadlineMs } = message.body;
      const outcome = await jobs.execute(() => fetch(url), { sleep: () => "defer", deadlineMs });
      if (!deferMessage(message, outcome)) message.ack();
    }
  },
};
