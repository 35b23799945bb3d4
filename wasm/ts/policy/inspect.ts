// What consoles show of an object: what its JSON says, under the name of its class.

/** What has a form of its own in JSON. */
interface Plain {
  toJSON(): object;
}

/** Has consoles show what a class makes as its `toJSON` says. */
export function inspects(made: { readonly prototype: Plain }): void {
  const value = function (this: Plain) {
    return Object.assign(Object.create({ constructor: this.constructor }), this.toJSON());
  };
  // Node, Deno and Bun look for it; other consoles call the getters that they find.
  Object.defineProperty(made.prototype, Symbol.for("nodejs.util.inspect.custom"), { value });
}
