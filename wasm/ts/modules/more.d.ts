/* tslint:disable */
/* eslint-disable */

/**
 * The stack is as empty as it was at the start. To be said by who enters the module while no
 * function of it runs: an exception that passes through one, as when JavaScript's own stack
 * overflows, leaves what that had on the stack.
 */
export function rewind(): void;

/**
 * How many bytes a snapshot takes.
 */
export function snapshot_bytes(kind: number, slot: number): number;

/**
 * Takes over a snapshot, which is `length` bytes in the slot `from`; 0, or the number of what
 * is wrong with it.
 */
export function snapshot_load(kind: number, slot: number, now: number, from: number, length: number, off: number): number;

/**
 * Writes a snapshot to the slot `out`; whether it has room for it.
 */
export function snapshot_save(kind: number, slot: number, now: number, out: number): boolean;

/**
 * A breaker of the settings in the table: kind (1 calls, 2 time), size or milliseconds,
 * rate, least calls, what `breaker_new` of the core takes from the fifth on, and after how
 * long a call is slow and the share of slow calls. 0 if one is out of its range.
 */
export function window_new(): number;

export function compiled(): object;
export function imports(shared?: object): Record<string, any>;
export function __wbg_set_wasm(exports: object): void;
