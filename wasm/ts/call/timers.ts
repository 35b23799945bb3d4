// Waiting by the runtime's own means.

import type { Clock } from "../types.js";

/** The longest that a timer can be. */
const LONGEST = 2 ** 31 - 1;

export const TURN: Promise<void> = Promise.resolve();

/**
 * A promise of this realm, which calls back once; rejected if what was returned cannot be looked at. A class that extends
 * `Promise` may do anything in its constructor, which a `then` of its own calls.
 */
export function promised<T>(returned: T | PromiseLike<T>): Promise<T> {
  try {
    if (returned instanceof Promise && returned.constructor === Promise) return returned;
  } catch {
    // A proxy that was revoked: what it cannot tell rejects the promise.
  }
  return new Promise((resolve) => resolve(returned));
}

/** Calls back when so much time is over, in parts that a timer can be, never for Infinity; what stops it. */
export function timer(ms: number, unref: boolean, over: () => void): (() => void) | undefined {
  if (ms === Infinity) return undefined;
  let running: ReturnType<typeof setTimeout>;
  const arm = (rest: number) => {
    running = setTimeout(rest > LONGEST ? () => arm(rest - LONGEST) : over, Math.min(rest, LONGEST));
    if (unref) (running as { unref?: () => void }).unref?.();
  };
  arm(Math.max(0, Math.ceil(ms)));
  return () => clearTimeout(running);
}

export function nothing(): void {}

/** Whether a timer of one call may end another: in Cloudflare's Workers it would end with the request that made it. */
const SHARES = globalThis.navigator?.userAgent !== "Cloudflare-Workers";

/** What may not take longer than it may. */
export interface Limited {
  /** When its time is over, by the clock of the alarm. */
  readonly due: number;
  /** Where the alarm has it. */
  place: number;
  /** Its time is over, or the clock has broken with this error. */
  late(broken?: { readonly error: unknown }): void;
}

/** Ends what takes too long: one timer for all of it, armed for what is due first, and none while nothing waits. */
export class Alarm {
  readonly #clock: Clock;
  readonly #unref: boolean;
  /** In no order: what goes makes its place free for the last one. */
  readonly #waiting: Limited[] = [];
  /** When the timer fires. */
  #armed = Infinity;
  #stop: (() => void) | undefined;
  /** How much has been added, and when that was looked at last; undefined while no one is to look. */
  #added = 0;
  #seen: number | undefined;

  constructor(clock: Clock, unref: boolean) {
    this.#clock = clock;
    this.#unref = unref;
  }

  /** The alarm for a call: this one for all, where they may share a timer. */
  get ofCall(): Alarm {
    return SHARES ? this : new Alarm(this.#clock, this.#unref);
  }

  /** From now on it is waited for. */
  add(one: Limited): void {
    one.place = this.#waiting.push(one) - 1;
    this.#added += 1;
    if (this.#seen === undefined && one.due < this.#armed) this.#looks();
  }

  /** It was over in time. */
  delete(one: Limited): void {
    const waiting = this.#waiting;
    const { place } = one;
    if (waiting[place] !== one) return;
    const last = waiting.pop()!;
    if (last !== one) {
      waiting[place] = last;
      last.place = place;
    }
    if (waiting.length === 0 && this.#armed !== Infinity) this.#disarm();
  }

  /** Arms the timer a little later: what had settled already is over by then. */
  #looks(): void {
    this.#seen = this.#added;
    soon(this.#look);
  }

  readonly #look = (): void => {
    const isQuiet = this.#seen === this.#added || setImmediate !== undefined;
    this.#seen = undefined;
    if (this.#waiting.length === 0) return;
    if (isQuiet) this.#guard(() => this.#arm(this.#clock()));
    else this.#looks();
  };

  #disarm(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#armed = Infinity;
  }

  #arm(now: number): void {
    let first = Infinity;
    for (const { due } of this.#waiting) first = Math.min(first, due);
    if (first >= this.#armed) return;
    this.#disarm();
    this.#armed = first;
    this.#stop = timer(first - now, this.#unref, () => this.#guard(() => this.#rings()));
  }

  #rings(): void {
    // The timer is right where a clock stands still.
    const now = Math.max(this.#armed, this.#clock());
    this.#disarm();
    for (const one of this.#waiting.filter(({ due }) => due <= now)) {
      this.delete(one);
      one.late();
    }
    this.#arm(now);
  }

  /** A clock that breaks ends all that relies on it. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#disarm();
      for (const one of this.#waiting.splice(0)) one.late({ error });
    }
  }
}

/** A call that waits for a delay. */
export interface Delayed {
  /** Ends it: its policy is not to wait any more. */
  abort(): void;
}

/** The calls of a policy that wait for a delay. */
export class Delays extends Set<Delayed> {
  /** Whether none is waited for any more. */
  areOver = false;

  /** Ends all of them, and those to come. */
  end(): void {
    this.areOver = true;
    for (const one of [...this]) one.abort();
  }
}

/** How many pauses there are at most between two turns, and for how many milliseconds: in Workers time may stand still. */
const PAUSES = 50;
const LONG_MS = 10;
let pauses = 0;
let turned = 0;

/** The turn that all else has now and then, timers and signals among it, where no time is waited for; undefined in between. */
export function pause(now: number): Promise<void> | undefined {
  pauses += 1;
  if (pauses < PAUSES && Math.abs(now - turned) < LONG_MS) return undefined;
  return turn().then(() => {
    pauses = 0;
    turned = performance.now();
  });
}

/**
 * What runtimes have for a turn of the event loop, as it was before a test fakes the time. Next.js' edge runtime, which names itself
 * in `EdgeRuntime`, has functions in place of these that throw.
 */
const { setImmediate, scheduler, MessageChannel } = ("EdgeRuntime" in globalThis ? {} : globalThis) as {
  readonly setImmediate?: (run: () => void) => unknown;
  readonly scheduler?: { wait?(ms: number): Promise<void> };
  readonly MessageChannel?: typeof globalThis.MessageChannel;
};

/** Runs once what has settled already is over: after all that is due now, or after three turns of promises. */
function soon(run: () => void): void {
  if (setImmediate !== undefined) setImmediate(run);
  else void TURN.then(nothing).then(nothing).then(run);
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (setImmediate !== undefined) setImmediate(resolve);
    // Before channels: in workerd messages come before any timer.
    else if (scheduler?.wait !== undefined) resolve(scheduler.wait(0));
    else if (MessageChannel !== undefined) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else setTimeout(resolve, 0);
  });
}
