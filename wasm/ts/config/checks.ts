// Options are checked by tables: by name what each must be, and its default.

import type { ErrorClass } from "../types.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";
import { refuse } from "./issues.js";

type Options = Record<string, any>;

/** What a number must be: flags that are added up. */
export const WHOLE = 1;
/** May be null or Infinity for none, which is NaN for the core. */
export const NULLABLE = 2;
/** The least time that is not 0, in milliseconds: what the core counts in. */
export const MICROSECOND = 0.001;

/** Of a number: its default (undefined if it must be set), what it must be, the least, and the most. */
export type Range = readonly [fallback: number | undefined, form?: number, min?: number, max?: number];

/** An option of this type, or left out. */
type Type = "function" | "boolean" | "string";

/** What an option must be: a number, of a type or left out, or what a function says; that gets the options before it, too. */
export type Check = Range | Type | ((path: string, value: any, before: any) => unknown);
export type Checks = Readonly<Record<string, Check>>;

/** The value of an option by its check. */
export function optionValue(path: string, value: unknown, check: Check, before?: unknown): any {
  if (typeof check === "function") return check(path, value, before);
  if (typeof check !== "string") return number(path, value, check);
  if (value === undefined || typeof value === check) return value;
  return refuse(path, value, check === "boolean" ? "true or false" : `a ${check}`);
}

/** The values of options by their checks, and nothing else. */
export function values(path: string, settings: Options, checks: Checks): Options {
  const found: Options = {};
  for (const name of Object.keys(checks))
    found[name] = optionValue(`${path}.${name}`, settings[name], checks[name]!, found);
  return found;
}

/** The values of an object of options that has none but these. */
export function options(path: string, value: unknown, checks: Checks): Options {
  return values(path, known(path, value, Object.keys(checks)), checks);
}

/** Whether it is an object of options. */
export function isOptions(value: unknown): value is Options {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object of options. */
export function object(path: string, value: unknown, expected = "an object of options"): Options {
  return isOptions(value) ? value : refuse(path, value, expected, {});
}

/** An object of options, all of whose keys are known. */
export function known(path: string, value: unknown, keys: readonly string[]): Options {
  const settings = object(path, value);
  for (const key of Object.keys(settings)) if (!keys.includes(key)) unknown(`${path}.${key}`, settings[key], keys);
  return settings;
}

/** Refuses an option that does not exist. */
export function unknown(path: string, value: unknown, keys: readonly string[]): void {
  refuse(path, value, keys.join(", "), undefined, "is no option");
}

/** A number in its range; its default if it is left out. */
export function number(path: string, value: unknown, range: Range): number {
  const [fallback, form = 0, min = 0, max = Number.MAX_SAFE_INTEGER] = range;
  if (value === undefined && fallback !== undefined) return fallback;
  if ((value === null || value === Infinity) && form & NULLABLE) return NaN;
  const isNumber = typeof value === "number";
  if (isNumber && value >= min && value <= max && !(form & WHOLE && value % 1)) return value;
  const most = max === Number.MAX_SAFE_INTEGER ? "" : `, at most ${max}`;
  const expected = `a ${form & WHOLE ? "whole " : ""}number of at least ${min}${most}`;
  return refuse(path, value, expected, fallback ?? NaN, isNumber ? "is out of range" : "is not");
}

/** A clock; the present by default. */
export function clock(path: string, value: unknown): () => number {
  return optionValue(path, value, "function") ?? systemClock;
}

/** The number of a class; -1 for none. */
export function classNumber(path: string, name: unknown): number {
  const index = ERROR_CLASSES.indexOf(name as ErrorClass);
  return index < 0 ? refuse(path, name, ERROR_CLASSES.join(", "), index, "is no class") : index;
}

/** The values of an object by class, by the numbers of the classes; `fallback` for a class that has none. */
export function byClass<T>(
  path: string,
  value: unknown,
  check: Range | ((path: string, value: any, index: number) => T),
  fallback: T,
): T[] {
  const found = ERROR_CLASSES.map(() => fallback);
  if (value === undefined) return found;
  for (const [name, own] of Object.entries(object(path, value, "an object by class"))) {
    const index = own === undefined ? -1 : classNumber(path, name);
    if (index >= 0) found[index] = optionValue(`${path}.${name}`, own, check as Check, index);
  }
  return found;
}

export const systemClock = (): number => performance.now();
