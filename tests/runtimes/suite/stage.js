// Time and randomness that a test holds in its hand; nothing else is faked.

import { CircuitBreaker, Policy, Retry } from "redress";

/** A clock that moves only when it is told to, or when a policy sleeps. */
export class Time {
  nowMs = 1_000_000;
  sleeps = [];
  draws = [];
  clock = () => this.nowMs;
  random = () => this.draws.shift() ?? 0.5;
  sleeper = (ms) => {
    this.sleeps.push(ms);
    this.nowMs += ms;
  };

  advance(ms) {
    this.nowMs += ms;
  }
}

/** An error that the default rules give the class of its status. */
export function failure(status, more = {}) {
  return Object.assign(new Error(`status ${status}`), { status }, more);
}

export const STATUS = {
  AUTH: 401,
  PERMISSION: 403,
  PERMANENT: 404,
  CONCURRENCY: 409,
  RATE_LIMIT: 429,
  SERVER_ERROR: 503,
  TRANSIENT: 408,
};

/** An operation that plays a script, its last entry repeating: Errors are thrown. */
export function script(...entries) {
  const operation = async () => {
    const entry = entries[Math.min(operation.calls, entries.length - 1)];
    operation.calls += 1;
    if (entry instanceof Error) throw entry;
    return entry;
  };
  operation.calls = 0;
  return operation;
}

/** A policy on a clock of its own, with every event it tells. */
export function stage({ retry, breaker, ...options } = {}) {
  const time = new Time();
  const timed = { clock: time.clock, random: time.random, sleeper: time.sleeper };
  const events = [];
  const circuitBreaker = breaker === undefined ? undefined : new CircuitBreaker({ clock: time.clock, ...breaker });
  const policy = new Policy({
    ...(retry === undefined ? {} : { retry: new Retry({ ...timed, ...retry }) }),
    ...(circuitBreaker === undefined ? {} : { circuitBreaker }),
    ...options,
  });
  const onEvent = (event) => events.push(event);
  return {
    policy,
    time,
    events,
    breaker: circuitBreaker,
    names: () => events.map((event) => event.event),
    call: (operation, more) => policy.call(operation, { onEvent, ...more }),
    execute: (operation, more) => policy.execute(operation, { onEvent, ...more }),
  };
}
