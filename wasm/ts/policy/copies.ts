// Two copies of the package in one program, by version or by format: each has a memory of its own, and an address of one
// means something else in the other. So what has addresses says which copy it is of.

/** By this an object of the package says which copy it is of; the same property in every copy. */
export const COPY: unique symbol = Symbol.for("redress.copy") as never;

/** This copy. */
export const HERE: object = {};

/** Whether it is of another copy of the package. What is none of its objects is not. */
export function isForeign(value: unknown): boolean {
  try {
    const copy = (value as { readonly [COPY]?: object } | null | undefined)?.[COPY];
    return copy !== undefined && copy !== HERE;
  } catch {
    // A proxy that was revoked.
    return false;
  }
}
