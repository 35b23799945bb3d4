// The policy as text: where it is wrong, and where in it an option is.

import { findNodeAtLocation, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { isObject, type Settings } from "./settings.js";

/** Where a text is wrong. */
export interface Mistake {
  /** From 0, in characters. */
  readonly offset: number;
  readonly message: string;
}

/** Reads a policy. */
export function readJson(text: string): { settings: Settings } | { mistake: Mistake } {
  const errors: ParseError[] = [];
  parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first !== undefined) {
    // "CommaExpected" as words.
    const what = printParseErrorCode(first.error).replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return { mistake: { offset: first.offset, message: `${placeOf(text, first.offset)}: ${what.toLowerCase()}` } };
  }
  const value: unknown = JSON.parse(text);
  if (isObject(value)) return { settings: value };
  return { mistake: { offset: 0, message: "line 1, column 1: an object of options expected" } };
}

/** A place for people: lines and columns from 1. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

/** Where in a text the option of a finding is, or what it would be in; null if nothing of it is there. */
export function rangeOf(text: string, path: string): { start: number; end: number } | null {
  const root = parseTree(text);
  if (root === undefined) return null;
  const keys = path
    .replaceAll(/\[(\d+)\]/g, ".$1")
    .split(".")
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  for (let length = keys.length; length > 0; length -= 1) {
    const part = keys.slice(0, length);
    // The options of retrying may be alone, and a budget among them.
    for (const place of [part, ["retry", ...part], part.slice(1)]) {
      const node = place.length > 0 ? findNodeAtLocation(root, place) : undefined;
      if (node !== undefined) {
        const shown = length === keys.length ? node : (node.parent?.children?.[0] ?? node);
        return { start: shown.offset, end: shown.offset + shown.length };
      }
    }
  }
  return null;
}
