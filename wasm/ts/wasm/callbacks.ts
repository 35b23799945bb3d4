// What the core asks while it decides about a call.

/** Whom it asks: the call that it decides about. */
export interface Callbacks {
  /** A random number in 0..2^32, or -1. */
  draw(): number;
  /** The delay of a strategy written in JavaScript, NaN for none. */
  delay(
    attempt: number,
    errorClass: number,
    cause: number,
    previous: number,
    remaining: number,
    retryAfter: number,
  ): number;
}

/** Who is asked now; undefined while no function of the core runs. Written without a call, as that may fail where the stack is full. */
export const deciding: { call: Callbacks | undefined } = { call: undefined };

export function draw(): number {
  return deciding.call!.draw();
}

export function delay(...words: Parameters<Callbacks["delay"]>): number {
  return deciding.call!.delay(...words);
}
