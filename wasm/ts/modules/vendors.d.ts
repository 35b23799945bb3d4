/* tslint:disable */
/* eslint-disable */

/**
 * The class of an error, by a rule: 0 SQLSTATE, 1 ODBC, 2 gRPC, 3 AWS, 4 Redis.
 */
export function classify(rule: number, marker: number, status: number, status_code: number, code: number, hint: number, now_unix_secs: number): number;

/**
 * When to come back, in milliseconds, by what was classified last; NaN for unknown.
 */
export function hint(): number;

/**
 * The stack is as empty as it was at the start. To be said by who enters the module while no
 * function of it runs: an exception that passes through one, as when JavaScript's own stack
 * overflows, leaves what that had on the stack.
 */
export function rewind(): void;

/**
 * Where texts are written.
 */
export function texts(): number;

export function compiled(): object;
export function imports(shared?: object): Record<string, any>;
export function __wbg_set_wasm(exports: object): void;
