// A policy with options that hold for several calls.

import { refuse } from "../config/issues.js";
import type { Attempt, CallOptions, PolicyLike } from "../types.js";
import { DISPOSE, type Disposing } from "../wasm/using.js";
import { checked } from "./hooks.js";

/** What a policy runs: a function of the attempt. */
type Operation<T> = (attempt: Attempt) => T;

/** A policy with the options of its calls; ends with `using`. */
export type CallContext = PolicyLike &
  Disposing & {
    /** Refuses every call from now on; `using` does this at the end of its block. */
    dispose(): void;
  };

/** The policy with these options for each call; those of a call itself win. */
export function context(policy: PolicyLike, options: CallOptions = {}): CallContext {
  if (typeof (policy as PolicyLike | null | undefined)?.call !== "function") refuse("context", policy, "a policy");
  checked("context", options);
  const own = { ...options };
  let runner: PolicyLike | undefined = policy;
  const live = (): PolicyLike => {
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
  } as object as CallContext;
}
