/** The module, compiled: made at build, in a form of its own for each condition of the package. */
export function compiled(): object;
