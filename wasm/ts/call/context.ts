// A policy with options that hold for several calls.

import { refuse } from "../config/issues.js";
import type { Runner } from "../policy/policy.js";
import type { Attempt, CallOptions } from "../types.js";
import { DISPOSE, type Disposing } from "../wasm/dispose.js";
import { checked } from "./hooks.js";

/** What a policy runs: a function of the attempt. */
type Operation<T> = (attempt: Attempt) => T;

/** A policy with the options of its calls; ends with `using`. */
export type CallContext = Pick<Runner, "call" | "execute"> &
  Disposing & {
    /** Refuses every call from now on; `using` does this at the end of its block. */
    dispose(): void;
  };

/** The policy with these options for each call; those of a call itself win. */
export function context(policy: Runner, options: CallOptions = {}): CallContext {
  if (typeof (policy as Runner | null | undefined)?.call !== "function") refuse("context", policy, "a policy");
  checked("context", options);
  const own = { ...options };
  let runner: Runner | undefined = policy;
  const live = (): Runner => {
    if (runner === undefined) throw new Error("context: it was disposed of");
    return runner;
  };
  const dispose = () => {
    runner = undefined;
  };
  return {
    call: async (operation: Operation<any>, more?: CallOptions) => live().call(operation, { ...own, ...more }),
    execute: async (operation: Operation<any>, more?: CallOptions) => live().execute(operation, { ...own, ...more }),
    dispose,
    [DISPOSE]: dispose,
  } as CallContext;
}
