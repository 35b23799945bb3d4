// Everything that a construction refuses, not the first thing alone.

/** One thing that was refused. */
export interface Refusal {
  /** The option, by path. */
  readonly field: string;
  /** Where it is in the settings. */
  readonly keys: readonly string[];
  readonly value: unknown;
  /** Why it was refused; the option is the subject: `is out of range`. */
  readonly problem: string;
  /** What would be right. */
  readonly expected: string;
  readonly message: string;
}

type Settings = Record<string, unknown>;

interface Trial<T> {
  /** Throws for what is wrong, by path. */
  build(settings: Settings): T;
  /** Where an option of this path is in the settings, the likeliest first. */
  places?(keys: readonly string[]): readonly (readonly string[])[];
  /** The path as the reader knows it. */
  rename?(path: string): string;
}

// What a refusal looks like: `retry.maxAttempts: 0 is out of range: a whole number of at least 1`.
const WORDS =
  /^(?<path>.+?)(?:: (?<shown>.*))? (?:is|are) (?<how>not|out of range:|no option;|no class;) (?<expected>.+)$/s;

/**
 * Builds from a copy of `given`, without what is refused: all of that goes into `refusals`.
 * Undefined if nothing can be built of what remains.
 */
export function accepted<T>(
  given: Settings,
  trial: Trial<T>,
  refusals: Refusal[],
): { settings: Settings; built: T } | undefined {
  const { places = (keys) => [keys.slice(1)], rename = (path) => path } = trial;
  const taken = new Map<string, number>();
  const changed = new Set<string>();
  let settings = given;
  for (;;) {
    try {
      return { settings, built: trial.build(settings) };
    } catch (error) {
      const words = told(error);
      if (words === undefined) throw error;
      const { path, shown, how, expected } = words;
      const candidates = places(split(path)).filter((keys) => keys.length > 0);
      const found = candidates.find((keys) => has(settings, keys));
      const inside = how === "no class;" && !path.endsWith("]") ? [JSON.parse(shown!) as string] : [];
      const keys = found === undefined ? (candidates.at(-1) ?? []) : [...found, ...inside];
      const holder = keys.slice(0, -1);
      // What is missed where something was taken out is no news.
      if (found !== undefined || !changed.has(String(holder))) {
        const field = rename(indexed(path, taken));
        const message = (error as Error).message.replace(path, () => field);
        const value = inside[0] ?? (found && at(settings, found));
        const problem = how === "not" ? `is not ${expected}` : `is ${how.slice(0, -1)}`;
        refusals.push({ field, keys, value, problem, expected: expected.replace(/^there are /, "one of "), message });
      }
      // Options that lack one are no use: all of them go.
      const without = found === undefined ? holder : keys;
      if (without.length === 0 || !has(settings, without)) return undefined;
      settings = stripped(settings, without) as Settings;
      changed.add(String(without.slice(0, -1)));
      const array = path.replace(/\[\d+\]$/, "");
      if (array !== path) taken.set(array, (taken.get(array) ?? 0) + 1);
    }
  }
}

function told(error: unknown) {
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return undefined;
  return WORDS.exec(error.message)?.groups as
    | { path: string; shown?: string; how: string; expected: string }
    | undefined;
}

/** The path with the index that its element had before others were taken out. */
function indexed(path: string, taken: ReadonlyMap<string, number>): string {
  return path.replace(/\[(\d+)\]$/, (_, index: string, start: number) => {
    return `[${Number(index) + (taken.get(path.slice(0, start)) ?? 0)}]`;
  });
}

function split(path: string): string[] {
  return path.split(/[.[\]]/).filter((key) => key !== "");
}

/** What is at the end of these keys. */
export function at(settings: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (inner as Settings | null | undefined)?.[key], settings);
}

function has(settings: Settings, keys: readonly string[]): boolean {
  const holder = at(settings, keys.slice(0, -1));
  return typeof holder === "object" && holder !== null && Object.hasOwn(holder, keys.at(-1)!);
}

/** A copy without what is at the end of these keys. */
function stripped(settings: unknown, [key, ...rest]: readonly string[]): unknown {
  if (Array.isArray(settings)) return settings.filter((_, index) => String(index) !== key);
  const { [key!]: inner, ...others } = settings as Settings;
  return rest.length === 0 ? others : { ...others, [key!]: stripped(inner, rest) };
}
