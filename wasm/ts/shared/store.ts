// Where shared state is kept: what is needed of a store.

/** What a store has under a key. */
export interface Stored {
  /** The version of the value; "" if there is none. */
  readonly version: string;
  /** The value, as it was written; "" if there is none. */
  readonly value: string;
  /** The time of the store, in whole microseconds since 1970: one clock for all processes. */
  readonly nowUs: number;
}

/**
 * A store that processes share. It has no rule of a breaker or a budget: it reads a text, and writes one if no other process has
 * written meanwhile. A promise that is rejected counts as a store that cannot be reached.
 */
export interface Store {
  /** Reads the value of a key together with the time, at once. */
  read(key: string): PromiseLike<Stored>;
  /**
   * Writes a value and its version `next`, if the version is `version` still; whether it did. The check and the write are one step for
   * all other processes. True as well if the version is `next` already: a client may send a command twice.
   */
  write(key: string, version: string, next: string, value: string): PromiseLike<boolean>;
}

/** A state, in the bytes of the core as text, and when it was so in microseconds of the shared time. */
export interface Moment {
  /** The bytes, two digits each. */
  readonly data: string;
  /** When it was so. */
  readonly us: number;
}

/** How a value is written: the number of this form, the moment, and how far the time has stepped back so far. */
const FORM = /^1 (\d{1,16}) (\d{1,16}) ([0-9a-f]+)$/;

/** The value of a state. */
export function written({ data, us }: Moment, steppedBackUs: number): string {
  return `1 ${us} ${steppedBackUs} ${data}`;
}

/** The state in a value; undefined for what is none. */
export function read(value: string): (Moment & { steppedBackUs: number }) | undefined {
  const [, us, steppedBackUs, data] = FORM.exec(value) ?? [];
  return data === undefined ? undefined : { data, us: Number(us), steppedBackUs: Number(steppedBackUs) };
}
