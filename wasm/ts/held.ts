// What the core holds for an object of the package.

import { owned } from "./core.js";

/** State in the core: made when it is first needed, so that what is never used takes no room there. */
export abstract class Held {
  #slot = 0;

  /** Makes it; where it is. @internal */
  abstract make(): number;

  /** Where the core has it. @internal */
  get slot(): number {
    if (this.#slot === 0) this.#slot = owned(this, this.make());
    return this.#slot;
  }

  /** Lets go of it: it is made anew when it is next needed, if it can be. @internal */
  forget(): void {
    this.#slot = 0;
  }
}
