// The state of what a service calls, for its health route, and the end of all of it.

import type { Server } from "node:http";
import { object } from "../config/checks.js";
import { refuse } from "../config/issues.js";
import { CircuitBreaker } from "../policy/breaker.js";
import { Budget } from "../policy/budget.js";
import { Keyed, KeyedPolicy } from "../policy/keyed.js";
import { Policy } from "../policy/policy.js";

/** What a service calls through, by name: policies, policies by key, breakers, budgets, and maps of both by key. */
export type Upstreams = Readonly<
  Record<string, Policy | KeyedPolicy | CircuitBreaker | Budget | Keyed<CircuitBreaker> | Keyed<Budget>>
>;

/** What a health route answers. */
export interface Health {
  /** `"ready"`, or `"stopping"` once `drain` is called. */
  readonly status: "ready" | "stopping";
  /** By name: the state of the breaker, what is left of the budget, or both; of a map by key. */
  readonly upstreams: Readonly<Record<string, unknown>>;
}

/** The services that are about to end, by what they call. */
const stopping = new WeakSet<Upstreams>();

const KINDS = [Policy, KeyedPolicy, CircuitBreaker, Budget, Keyed];

/** Checks what a service calls through. */
export function checkedUpstreams(path: string, upstreams: unknown): Upstreams {
  for (const [name, one] of Object.entries(
    object(path, upstreams, "an object of policies, breakers and budgets by name"),
  ))
    if (!KINDS.some((kind) => one instanceof kind))
      refuse(`${path}.${name}`, one, "a policy, a breaker, a budget, or a Keyed of them");
  return upstreams as Upstreams;
}

/**
 * What a health route answers: 200, and 503 once the service stops. A breaker that is open takes no instance out of service:
 * all of them call the same upstream.
 */
export function healthOf(upstreams: Upstreams): { readonly status: 200 | 503; readonly body: Health } {
  const isStopping = stopping.has(upstreams);
  const states = Object.entries(upstreams).map(([name, one]) => [name, stateOf(one)]);
  const body: Health = { status: isStopping ? "stopping" : "ready", upstreams: Object.fromEntries(states) };
  return { status: isStopping ? 503 : 200, body };
}

function stateOf(one: unknown): unknown {
  if (one instanceof CircuitBreaker) return { breaker: one.toJSON() };
  if (one instanceof Budget) return { budget: one.toJSON() };
  if (one instanceof KeyedPolicy) return stateOf(one.template);
  if (one instanceof Keyed) return Object.fromEntries([...one.keys()].map((key) => [key, stateOf(one.peek(key))]));
  const { circuitBreaker, retry } = one as Policy;
  const budget = retry?.config.budget;
  return {
    // One of your own says its state, if it has it.
    ...(circuitBreaker === undefined
      ? {}
      : {
          breaker: circuitBreaker instanceof CircuitBreaker ? circuitBreaker.toJSON() : { state: circuitBreaker.state },
        }),
    ...(budget instanceof Budget ? { budget: budget.toJSON() } : {}),
  };
}

/** Ends the delays of all policies and waits for the attempts in flight; the health route says that the service stops. */
export async function drainAll(upstreams: Upstreams): Promise<void> {
  stopping.add(upstreams);
  await Promise.all(
    Object.values(upstreams).map((one) =>
      one instanceof Policy || one instanceof KeyedPolicy ? one.drain() : undefined,
    ),
  );
}

/**
 * Stops a service: the server takes no new connection, calls that wait for a delay end as ABORTED, and it resolves once every
 * attempt and every request has come to its end. Give it the same object of upstreams as the health route.
 */
export async function drain(server: Pick<Server, "close">, upstreams: Upstreams): Promise<void> {
  checkedUpstreams("drain.upstreams", upstreams);
  const closed = new Promise<void>((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
  await drainAll(upstreams);
  await closed;
}
