// What consoles show of an object: what its JSON says, under the name of its class.

/** What may have a form of its own in JSON. */
interface Plain {
  toJSON?(): object | string;
}

/** Has consoles show what a class makes as its `toJSON` says, if it has one. */
export function inspects(made: { readonly prototype: object }): void {
  const value = function (this: Plain) {
    const shown = this.toJSON?.() ?? this;
    if (typeof shown === "string" || shown === this) return shown;
    return Object.assign(Object.create({ constructor: this.constructor }), shown);
  };
  // Node, Deno and Bun look for it; other consoles call the getters that they find.
  Object.defineProperty(made.prototype, Symbol.for("nodejs.util.inspect.custom"), { value });
}
