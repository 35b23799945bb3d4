// What a watcher reports to is the program's own: it is handed over, so that nothing here loads it.

/** A module or an object with these functions, or the default export of such a module. */
export function peer<T extends object>(watcher: string, given: T, functions: readonly (keyof T)[], needs: string): T {
  for (const one of [given, (given as { default?: T } | null | undefined)?.default]) {
    const members = Object(one) as T;
    if (functions.every((name) => typeof members[name] === "function" || typeof members[name] === "object"))
      return members;
  }
  const missing = functions.filter((name) => Object(given)[name] === undefined);
  const lacks = missing.length > 0 && given !== undefined && given !== null ? ` (it has no ${missing.join(", ")})` : "";
  throw new TypeError(`${watcher}: it needs ${needs}, and got ${given === null ? "null" : typeof given}${lacks}`);
}
