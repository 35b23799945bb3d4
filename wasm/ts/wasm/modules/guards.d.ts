/* tslint:disable */
/* eslint-disable */

/**
 * A permit in a slot of its own, for callers who drive a breaker themselves: its lowest
 * bit says that the breaker has become half-open. 0 for a rejection, [`OUT_OF_MEMORY`] if the
 * breaker could not be asked. It is given back with its breaker if it does not come back.
 */
export function breaker_admit(slot: number, now: number): number;

/**
 * Whether it would admit a call, which changes nothing; a rejection is in the table.
 */
export function breaker_check(slot: number, now: number): boolean;

/**
 * How many failures its window holds; in the table how many calls, NaN if it counts failures
 * alone.
 */
export function breaker_counts(slot: number, now: number): number;

/**
 * A breaker that counts failures, of the settings in the table; 0 if one is out of its range, or
 * there is no memory.
 */
export function breaker_new(): number;

/**
 * Takes such a permit back: result 0 for success, 1 for cancelled, 2 and up for
 * the class of a failure, with a random number for the jitter of the recovery time. The new
 * state plus 1, 0 if it is the old one.
 */
export function breaker_settle(slot: number, permit: number, result: number, random: number, now: number): number;

/**
 * The state: 0 closed, 1 open, 2 half-open.
 */
export function breaker_state(slot: number): number;

/**
 * By hand: 0 closes it, 1 opens it until that, 2 opens it as failures would. The new state
 * plus 1, 0 if it is the old one.
 */
export function breaker_switch(slot: number, how: number, now: number): number;

/**
 * Takes `cost` retries, all or none.
 */
export function budget_consume(slot: number, cost: number, now: number): boolean;

/**
 * A call begins.
 */
export function budget_deposit(slot: number): void;

/**
 * A budget in proportion to calls, likewise.
 */
export function budget_ratio(): number;

/**
 * How many retries there are.
 */
export function budget_remaining(slot: number, now: number): number;

/**
 * A budget of a number of retries in a window, of the settings in the table.
 */
export function budget_rolling(): number;

export function compiled(): object;
export function imports(shared?: object): Record<string, any>;
export function __wbg_set_wasm(exports: object): void;
