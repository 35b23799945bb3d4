// Operations that fail as they are told to.

/** An operation that throws an error of each of these statuses in turn, then returns "value". */
export function failing(...statuses) {
  const left = [...statuses];
  return async () => {
    const status = left.shift();
    if (status === undefined) return "value";
    throw Object.assign(new Error(`status ${status}`), { status });
  };
}

/** An operation that always fails with this status. */
export const down = (status) => async () => {
  throw Object.assign(new Error(`status ${status}`), { status });
};

/** A promise, and what settles it. */
export function deferred() {
  let settle;
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}
