// What runs an operation by the setting of a policy, and not by the policy's own `call`, runs it within its watches by this.

import type { Setting } from "../call/codes.js";
import type { Attempt } from "../types.js";

/** By this the hooks of a call that is watched have what runs its operation. */
export const AROUND: unique symbol = Symbol.for("redress.around") as never;

/** The operation as it runs in a call of this setting: within what watches that, if anything does. */
export function around<T>(setting: Setting, operation: (attempt: Attempt) => T): (attempt: Attempt) => T {
  const hooks = setting.hooks as { readonly [AROUND]?: (run: () => T) => T } | undefined;
  const within = hooks?.[AROUND];
  return within === undefined ? operation : (attempt) => within(() => operation(attempt));
}
