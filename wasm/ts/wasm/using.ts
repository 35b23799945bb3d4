// The end of an object, said by `using`.

/** What `using` ends, where the types of the language have it. */
export type Disposing = SymbolConstructor extends { readonly dispose: infer D extends symbol }
  ? { [K in D]: () => void }
  : object;

/** The symbol that `using` looks for, also where it is not there yet. */
export const DISPOSE: symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for("Symbol.dispose");

/** Has `using` end what a class makes by its `dispose`. */
export function disposes(made: { readonly prototype: { dispose(): void } }): void {
  Object.defineProperty(made.prototype, DISPOSE, {
    value(this: { dispose(): void }) {
      this.dispose();
    },
  });
}
