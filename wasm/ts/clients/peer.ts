// What is wrong with a client that was given, in one sentence.

import { refuse } from "../config/issues.js";

/** Refuses what is not of the package that an adapter is for; `expected` says what of it. */
export function refusePeer(path: string, value: unknown, expected: string, name: string, versions: string): never {
  return refuse<never>(path, value, `${expected} of the package ${name} ${versions}: npm install ${name}`);
}
