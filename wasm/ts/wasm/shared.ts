// Modules that work in the memory of the core, on its slots and its stack.

import { enter, type Startable, start } from "./core.js";

/** What comes before each use of such a module: it starts it when it is first needed, as `enter` does the core. */
export function sharing(module: Startable): () => void {
  let isStarted = false;
  return () => {
    const shared = enter();
    if (!isStarted) start(module, shared);
    isStarted = true;
  };
}
