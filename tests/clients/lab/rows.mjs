// Rows of the table: a fault is provoked, and what the client throws is classified.

/** Whether a row says what it should; undefined if it does, else why not. */
function fault(want, hintMs, { class: name = "none", retryAfterMs } = {}) {
  if (name !== want) return `class ${name}, expected ${want}`;
  if (hintMs !== undefined && Math.abs(retryAfterMs - hintMs) > 1_000)
    return `hint ${retryAfterMs}, expected ${hintMs}`;
  if (hintMs === undefined && retryAfterMs !== undefined) return `hint ${retryAfterMs}, expected none`;
  return undefined;
}

/** What is of use to see of an error, in one line for each that it wraps. */
export function described(error, depth = 0) {
  if (typeof error !== "object" || error === null || depth > 4) return String(error);
  const type = error.constructor?.name;
  const shown = ["name", "message", ...Object.keys(error)].filter((key) => !["stack", "cause"].includes(key));
  const plain = (value) => {
    if (value === null || ["string", "number", "boolean"].includes(typeof value)) return JSON.stringify(value);
    return value === undefined ? undefined : `<${value?.constructor?.name ?? typeof value}>`;
  };
  const fields = [...new Set(shown)].map((key) => [key, plain(error[key])]).filter(([, value]) => value !== undefined);
  const line = `${type} { ${fields.map((field) => field.join(": ").slice(0, 120)).join(", ")} }`;
  const wrapped = ["cause", "original", "originalError", "lastError"].filter((key) => error[key] instanceof Object);
  return [line, ...wrapped.map((key) => `  ${key}: ${described(error[key], depth + 1)}`)].join("\n");
}

/**
 * Collects rows. `row(client, fault, class, classifier, provoke, { hintMs, constructed })` has `provoke` throw, or return what
 * a classifier of results is for (of class "none" where that is no failure), and gives that to the classifier that users of the client take, and to `classify.any`.
 */
export function collector(classify) {
  const rows = [];
  async function row(client, name, want, classifier, provoke, { hintMs, constructed = false } = {}) {
    // In the order of the table, whichever fault comes first.
    const at = rows.push(undefined) - 1;
    let failure;
    try {
      failure = await provoke();
    } catch (thrown) {
      failure = thrown;
    }
    const problems = [];
    for (const by of [classifier, "any"]) {
      try {
        const problem = fault(want, hintMs, classify[by](failure) ?? undefined);
        if (problem !== undefined) problems.push(`classify.${by}: ${problem}`);
      } catch (error) {
        problems.push(`classify.${by}: ${error}`);
      }
    }
    rows[at] = { client, name, class: want, hintMs, classifier, constructed, problems, failure };
  }
  return { rows, row };
}
