// What the core asks while it decides about a call.

/** Whom it asks: the call that it decides about. */
export interface Asked {
  /** A random number in 0..2^32, or -1. */
  draw(): number;
  /** The delay of a strategy written in JavaScript, NaN for none. */
  delay(attempt: number, errorClass: number, cause: number, previous: number, remaining: number, retryAfter: number): number;
}

/** Who is asked now; undefined while no function of the core runs. Written without a call, as that may fail where the stack is full. */
export const asking: { who: Asked | undefined } = { who: undefined };

export function draw(): number {
  return asking.who!.draw();
}

export function delay(...words: Parameters<Asked["delay"]>): number {
  return asking.who!.delay(...words);
}
