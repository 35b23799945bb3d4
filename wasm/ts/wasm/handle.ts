// What the core holds for an object of the package.

import { COPY, HERE } from "../policy/copies.js";
import { disowned, enter, owned } from "./core.js";
import { inspects } from "./inspect.js";
import { DISPOSE } from "./using.js";

/** State in the core: made when it is first needed, so that what is never used takes no room there. */
export abstract class Handle {
  #slot = 0;
  /** Whether it was disposed of. @internal */
  isDisposed = false;

  /** @internal */
  get [COPY](): object {
    return HERE;
  }

  /** Makes it; where it is, 0 if it could not be made. @internal */
  abstract make(): number;

  /** Where the core has it. @internal */
  get slot(): number {
    if (this.#slot === 0) this.#slot = owned(this, this.make());
    return this.#slot;
  }

  /** The same, with the core entered. @internal */
  get entered(): number {
    const { slot } = this;
    enter();
    return slot;
  }

  /** Gives it back, with all that belongs to it: it is made anew when it is next needed, if it can be. @internal */
  free(): void {
    const slot = this.#slot;
    if (slot === 0) return;
    this.#slot = 0;
    disowned(this, slot);
  }
}

Object.defineProperty(Handle.prototype, DISPOSE, {
  value(this: Handle & { dispose?(): void }) {
    this.dispose?.();
  },
});

// Here and not for each class: a bundler would keep all that it is said of.
inspects(Handle);
