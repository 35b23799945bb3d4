// What is to be looked at: an attribute of a module, or a policy in JSON.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Lintable, PolicyJson } from "redress/lint";

/** The attribute that is meant if none is named. */
const ATTRIBUTE = "config";
const NAMED = /^(?<file>.+):(?<attribute>[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)$/u;

/** Something that cannot be looked at; the message says why in one line. */
export class TargetError extends Error {}

/** Loads `module:attribute`; for JSON the attribute is a key, or left out for all of it. */
export async function load(target: string): Promise<Lintable> {
  const { file = target, attribute } = NAMED.exec(target)?.groups ?? {};
  if (file === "" || file.startsWith(":")) {
    throw new TargetError("doctor target must be in the form module:attribute (e.g. ./app.mjs:policy)");
  }
  const path = file.startsWith("file:") ? fileURLToPath(file) : resolve(file);
  if (!existsSync(path)) throw new TargetError(`No module named '${file}'`);
  if (extname(path) === ".json") return new PolicyJson(await fromJson(path, file, attribute));
  const module = await imported(path, file);
  const name = attribute ?? ATTRIBUTE;
  // CommonJS modules have what was not found by name in their default.
  const holder = [module, module["default"]].find((one) => typeof one === "object" && one !== null && name in one);
  if (holder === undefined) throw absent(name, file);
  return (holder as Record<string, Lintable>)[name]!;
}

function absent(attribute: string, file: string): TargetError {
  return new TargetError(`Could not find attribute '${attribute}' on module '${file}'`);
}

async function imported(path: string, file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw unloadable(file, error);
  }
}

async function fromJson(path: string, file: string, attribute: string | undefined): Promise<unknown> {
  let read: unknown;
  try {
    read = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw unloadable(file, error);
  }
  if (attribute === undefined) return read;
  if (typeof read !== "object" || read === null || !Object.hasOwn(read, attribute)) throw absent(attribute, file);
  return (read as Record<string, unknown>)[attribute];
}

function unloadable(file: string, error: unknown): TargetError {
  const why = error instanceof Error ? error.message : String(error);
  return new TargetError(`Could not load '${file}': ${why}`, { cause: error });
}
