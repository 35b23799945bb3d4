// The caller's signal: one listener, however many calls wait for it. Node warns of more than ten on one signal.

import type { Signal } from "../types.js";

/** What waits for a signal, and the listener that calls all of it. */
interface Waiting {
  readonly calls: Set<() => void>;
  readonly listener: () => void;
}

const waiting = new WeakMap<Signal, Waiting>();

/** Runs `abort` once the signal is aborted, until what this returns is called. */
export function onAbort(signal: Signal, abort: () => void): () => void {
  let found = waiting.get(signal);
  if (found === undefined) {
    const calls = new Set<() => void>();
    const listener = () => {
      for (const one of [...calls]) one();
    };
    found = { calls, listener };
    waiting.set(signal, found);
  }
  const { calls, listener } = found;
  if (calls.size === 0) signal.addEventListener("abort", listener);
  calls.add(abort);
  return () => {
    if (calls.delete(abort) && calls.size === 0) signal.removeEventListener("abort", listener);
  };
}
