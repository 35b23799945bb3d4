// A policy's settings as JSON has them, and what is at a path in them.

/** A policy as `redress doctor` reads it from a `.json` file. */
export type Settings = Record<string, any>;

export function isObject(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The options of retrying alone are those of `retry`. */
export function normalized(settings: Settings): Settings {
  return "retry" in settings || "circuitBreaker" in settings ? settings : { retry: settings };
}

/** What is at a path; undefined if nothing is. */
export function at(settings: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), settings);
}

/** A copy with this value at a path; undefined takes the option out. */
export function withAt(settings: Settings, path: string, value: unknown): Settings {
  const [key = "", ...rest] = path.split(".");
  const own = settings[key];
  const inner = rest.length === 0 ? value : withAt(isObject(own) ? own : {}, rest.join("."), value);
  const { [key]: _, ...others } = settings;
  return inner === undefined ? others : { ...settings, [key]: inner };
}
