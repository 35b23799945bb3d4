// A worker with the Durable Object, in an `Env` as `wrangler types` writes it.

import { Policy } from "redress";
import { DurableBudget, DurableCircuitBreaker, RedressState } from "redress/durable";

interface Env {
  BREAKERS: DurableObjectNamespace<import("redress/durable").RedressState>;
  LATER: DurableObjectNamespace<Later>;
  UNTYPED: DurableObjectNamespace;
}

export { RedressState };
export class Later extends RedressState {
  constructor(context: DurableObjectState, _env: Env) {
    super(context);
  }
  override now(): number {
    return super.now() + 1;
  }
}

export default {
  async fetch(request, env) {
    const circuitBreaker = new DurableCircuitBreaker(env.BREAKERS, { name: "api" });
    const others = [
      new DurableBudget(env.LATER, { name: "api", ratio: 0.1 }),
      new DurableBudget(env.UNTYPED, { name: "api", ratio: 0.1 }),
    ];
    const outcome = await new Policy({ circuitBreaker }).execute(() => others.length, { signal: request.signal });
    return new Response(outcome.ok ? "well" : "try again");
  },
} satisfies ExportedHandler<Env>;
