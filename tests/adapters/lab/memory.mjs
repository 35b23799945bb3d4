// A store in memory with a time of its own, for what no real server shows at will: its time, and when other processes write.

/** Its `us` is the time in microseconds; `counts` says what was asked of it. */
export function memoryStore() {
  const values = new Map();
  const none = { version: "", value: "" };
  const store = {
    us: 1_800_000_000_000_000,
    counts: { reads: 0, writes: 0 },
    async read(key) {
      store.counts.reads += 1;
      return { ...(values.get(key) ?? none), nowUs: store.us };
    },
    async write(key, version, next, value) {
      store.counts.writes += 1;
      if ((values.get(key) ?? none).version !== version) return false;
      values.set(key, { version: next, value });
      return true;
    },
  };
  return store;
}

/** Numbers that are the same in each run. */
export function seeded(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
