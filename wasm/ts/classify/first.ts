// A classifier made of others.

import type { ErrorClass, Verdict } from "../types.js";

const classOf = (verdict: Verdict): ErrorClass | undefined => (typeof verdict === "string" ? verdict : verdict?.class);

/** The first of these classifiers that does not say UNKNOWN; what the last one says if all do. */
export function first<V>(...classifiers: readonly ((value: V) => Verdict)[]): (value: V) => Verdict {
  return (value) => {
    let verdict: Verdict;
    for (const classifier of classifiers) {
      const found = classifier(value);
      if (found === null || found === undefined) continue;
      verdict = found;
      if (classOf(found) !== "UNKNOWN") break;
    }
    return verdict;
  };
}
