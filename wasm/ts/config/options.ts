// Bad input is refused where it is written: by path, with the value and what would be right.

import type { ErrorClass } from "../types.js";
import { ERROR_CLASSES } from "../wasm/modules/names.js";

/** A value in a message. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}

export function wrongType(path: string, value: unknown, right: string): TypeError {
  return new TypeError(`${path}: ${show(value)} is not ${right}`);
}

export function outOfRange(path: string, value: unknown, right: string): RangeError {
  return new RangeError(`${path}: ${show(value)} is out of range: ${right}`);
}

/** An object of options, all of whose keys are known. */
export function options(path: string, value: unknown, keys: readonly string[]): Record<string, any> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongType(path, value, "an object of options");
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw unknown(path, key, keys);
  }
  return value;
}

/** The complaint about an option that does not exist. */
export function unknown(path: string, key: string, keys: readonly string[]): TypeError {
  const full = path === "" ? key : `${path}.${key}`;
  return new TypeError(`${full} is no option; there are ${keys.join(", ")}`);
}

/** What a number must be: flags that are added up. */
export const WHOLE = 1;
/** A microsecond at least, as that is what the core counts in. */
export const ABOVE = 2;
/** May be null for none, which is NaN for the core. */
export const NULLABLE = 4;

/** Of a number: its default (undefined if it must be given), what it must be, the least, and the most. */
export type Range = readonly [fallback: number | undefined, form?: number, min?: number, max?: number];
export type Ranges = Readonly<Record<string, Range>>;

/** A number in its range; its default if it is left out. */
export function number(path: string, value: unknown, range: Range): number {
  const [fallback, form = 0, min = form & ABOVE ? 0.001 : 0, max = Number.MAX_SAFE_INTEGER] = range;
  if (value === undefined && fallback !== undefined) return fallback;
  if (value === null && form & NULLABLE) return NaN;
  const most = max === Number.MAX_SAFE_INTEGER ? "" : `, at most ${max}`;
  const right = `a ${form & WHOLE ? "whole " : ""}number of at least ${min}${most}`;
  if (typeof value !== "number") throw wrongType(path, value, right);
  if (!(value >= min) || value > max || (form & WHOLE && !Number.isInteger(value)))
    throw outOfRange(path, value, right);
  return value;
}

/** The numbers among options, in the order of their ranges. */
export function numbers(path: string, given: Record<string, any>, ranges: Ranges): number[] {
  return Object.keys(ranges).map((name) => number(`${path}.${name}`, given[name], ranges[name]!));
}

/** The same where options are nothing but numbers. */
export function onlyNumbers(path: string, settings: unknown, ranges: Ranges): number[] {
  return numbers(path, options(path, settings, Object.keys(ranges)), ranges);
}

/** A function, or nothing. */
export function callable<F>(path: string, value: unknown): F | undefined {
  if (value !== undefined && typeof value !== "function") throw wrongType(path, value, "a function");
  return value as F | undefined;
}

/** The number of a class. */
export function classNumber(path: string, name: unknown): number {
  const index = ERROR_CLASSES.indexOf(name as ErrorClass);
  if (index < 0) throw new TypeError(`${path}: ${show(name)} is no class; there are ${ERROR_CLASSES.join(", ")}`);
  return index;
}

/** The entries of an object by class, as numbers of classes. */
export function byClass(path: string, value: unknown): [index: number, path: string, value: unknown][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) throw wrongType(path, value, "an object by class");
  return Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .map(([name, entry]) => [classNumber(path, name), `${path}.${name}`, entry]);
}

/** The present, unless a clock is given. */
export const systemClock = (): number => performance.now();
