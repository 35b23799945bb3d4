// How things are measured: time in interleaved rounds, heap after collections.

// Many short rounds: one that another process of the machine interrupts is an outlier.
const ROUNDS = 61;

/** Median nanoseconds of each call in `cases`, the cases taking turns in every round. */
export async function nanoseconds(cases, { calls }) {
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = -10; round < ROUNDS; round += 1) {
    for (const [name, { call, fails = false, calls: own = calls }] of Object.entries(cases)) {
      const each = await (fails ? timeFailing : timeSucceeding)(call, own);
      if (round >= 0) times[name].push(each);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
}

async function timeSucceeding(call, calls) {
  const started = process.hrtime.bigint();
  for (let n = 0; n < calls; n += 1) await call();
  return Number(process.hrtime.bigint() - started) / calls;
}

async function timeFailing(call, calls) {
  let rejected = 0;
  const started = process.hrtime.bigint();
  for (let n = 0; n < calls; n += 1) {
    try {
      await call();
    } catch {
      rejected += 1;
    }
  }
  const each = Number(process.hrtime.bigint() - started) / calls;
  if (rejected !== calls) throw new Error(`only ${rejected} of ${calls} calls were rejected`);
  return each;
}

/** Bytes in use, WebAssembly's memory included, after everything that can be collected is. */
export async function heapBytes() {
  for (let n = 0; n < 4; n += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes of each of `count` things that `make` makes. */
export async function bytesEach(make, count) {
  const things = new Array(count).fill(null);
  make();
  const before = await heapBytes();
  for (let n = 0; n < count; n += 1) things[n] = make();
  const after = await heapBytes();
  return { each: (after - before) / count, things };
}

/** Timers that `body` starts and does not stop, unreferenced ones too. */
export async function timersOf(body) {
  const running = new Set();
  const kept = { setTimeout, setInterval, clearTimeout, clearInterval };
  for (const start of ["setTimeout", "setInterval"]) {
    globalThis[start] = (run, ...words) => {
      const fired = (...values) => {
        if (start === "setTimeout") running.delete(timer);
        run(...values);
      };
      const timer = kept[start](fired, ...words);
      running.add(timer);
      return timer;
    };
  }
  for (const stop of ["clearTimeout", "clearInterval"]) {
    globalThis[stop] = (timer) => {
      running.delete(timer);
      kept[stop](timer);
    };
  }
  try {
    await body();
  } finally {
    Object.assign(globalThis, kept);
  }
  return running.size;
}

/** Milliseconds of CPU while nothing is asked for `ms`. */
export async function idleCpuMs(ms) {
  globalThis.gc();
  // What collecting leaves to do is no cost of standing idle.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
