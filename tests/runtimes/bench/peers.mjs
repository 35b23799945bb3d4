// The peers, each set up as its own documentation does, so that it does what the case asks.

import { Policy as AlfredPolicy } from "@git-stunts/alfred";
import { retry as attempt } from "@lifeomic/attempt";
import * as cockatiel from "cockatiel";
import Opossum from "opossum";
import pRetry from "p-retry";

const always = () => cockatiel.handleAll;

function cockatielBreaker() {
  return cockatiel.circuitBreaker(always(), {
    halfOpenAfter: 30_000,
    breaker: new cockatiel.ConsecutiveBreaker(5),
  });
}

function cockatielRetry(backoff) {
  return cockatiel.retry(always(), { maxAttempts: 3, backoff });
}

function opossumBreaker(action) {
  return new Opossum(action, { timeout: false, resetTimeout: 30_000 });
}

const alfredBreaker = () => AlfredPolicy.circuitBreaker({ threshold: 5, duration: 30_000 });
const alfredRetry = (delay) => AlfredPolicy.retry({ retries: 3, delay });

/** What fails, at once and always, until a breaker that is given it is open. */
async function opened(call) {
  const dead = async () => {
    throw new Error("dead");
  };
  for (let n = 0; n < 20; n += 1) await call(dead).catch(() => {});
  return call;
}

/** For each case, peer by peer: a function that makes the call. */
export const peers = {
  successRetryBreaker: async (operation) => {
    const wrapped = cockatiel.wrap(cockatielRetry(new cockatiel.ExponentialBackoff()), cockatielBreaker());
    const breaker = opossumBreaker(operation);
    const alfred = alfredRetry(250).wrap(alfredBreaker());
    return {
      cockatiel: () => wrapped.execute(operation),
      "opossum (no retry)": () => breaker.fire(),
      alfred: () => alfred.execute(operation),
    };
  },

  successRetry: async (operation) => {
    const policy = cockatielRetry(new cockatiel.ExponentialBackoff());
    const alfred = alfredRetry(250);
    const retries = { retries: 3 };
    const attempts = { maxAttempts: 4, delay: 250 };
    return {
      cockatiel: () => policy.execute(operation),
      "p-retry": () => pRetry(operation, retries),
      attempt: () => attempt(operation, attempts),
      alfred: () => alfred.execute(operation),
    };
  },

  threeFailures: async (operation) => {
    const policy = cockatielRetry(new cockatiel.ConstantBackoff(0));
    const alfred = alfredRetry(0);
    const retries = { retries: 3, minTimeout: 0, maxTimeout: 0 };
    const attempts = { maxAttempts: 4, delay: 0 };
    return {
      attempt: () => attempt(operation, attempts),
      "p-retry": () => pRetry(operation, retries),
      cockatiel: () => policy.execute(operation),
      alfred: () => alfred.execute(operation),
    };
  },

  openRejection: async () => {
    const breaker = cockatielBreaker();
    const alfred = alfredBreaker();
    const opossum = opossumBreaker((action) => action());
    return {
      cockatiel: await opened((action) => breaker.execute(action)),
      opossum: await opened((action) => opossum.fire(action)),
      alfred: await opened((action) => alfred.execute(action)),
    };
  },
};

/** Breakers that stand idle: how each peer makes one, and takes it down. */
export const idleBreakers = {
  cockatiel: { make: cockatielBreaker, drop: () => {} },
  opossum: { make: () => opossumBreaker(async () => 1), drop: (breaker) => breaker.shutdown() },
  alfred: { make: alfredBreaker, drop: () => {} },
};

/** A retry of 4 attempts without a delay that counts, in a storm. */
export const storms = {
  cockatiel: () => {
    const policy = cockatielRetry(new cockatiel.ConstantBackoff(1));
    return (operation) => policy.execute(operation);
  },
  "p-retry": () => (operation) => pRetry(operation, { retries: 3, minTimeout: 1, maxTimeout: 1 }),
  attempt: () => (operation) => attempt(operation, { maxAttempts: 4, delay: 1 }),
  alfred: () => {
    const policy = alfredRetry(1);
    return (operation) => policy.execute(operation);
  },
};

/** What a program imports of each, for the size of its bundle. */
export const bundles = {
  "cockatiel, whole": `import * as all from "cockatiel"; globalThis.all = all;`,
  "cockatiel, retry and breaker": `
    import { retry, handleAll, ExponentialBackoff, circuitBreaker, ConsecutiveBreaker, wrap } from "cockatiel";
    globalThis.all = { retry, handleAll, ExponentialBackoff, circuitBreaker, ConsecutiveBreaker, wrap };`,
  "alfred, retry and breaker": `
    import { Policy } from "@git-stunts/alfred"; globalThis.all = { Policy };`,
  "p-retry": `import pRetry from "p-retry"; globalThis.all = { pRetry };`,
  attempt: `import { retry } from "@lifeomic/attempt"; globalThis.all = { retry };`,
};
