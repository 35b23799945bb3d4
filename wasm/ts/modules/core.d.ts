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
 * A breaker of the settings in the table: its kind, which is another module's business
 * unless it is 0; failures and milliseconds of their window; one that is left out; classes
 * that trip as bits, recovery time, its longest growth, lease, probes at once, successes
 * to close, thresholds by class (eight, 0 for none), two that are left out; classes of a
 * failed probe that open anew as bits, jitter of the recovery time, whether calls check
 * before a retry, the longest hint that opens. 0 if one is out of its range.
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
 * A budget in proportion to calls.
 */
export function budget_ratio(ratio_milli: number, floor_per_sec: number, limit: number, initial: number): number;

/**
 * How many retries there are.
 */
export function budget_remaining(slot: number, now: number): number;

/**
 * A budget of so many retries in a window of milliseconds, of the first size that has room
 * for them: each but the last fills a slot of memory.
 */
export function budget_rolling(max_retries: number, window: number): number;

/**
 * Begins a call and its first attempt. Slots of breaker and budget are 0 for none; the
 * deadline is the policy's if it is NaN.
 * The address of the call with [`SUCCESS_COUNTS`] and [`HALF_OPENED`]; 0 if the breaker is not
 * closed, and then [`call_probe`] asks it; [`OUT_OF_MEMORY`] if there is none, and then
 * nothing has begun. The call is given back with its breaker, or else its policy, if it does
 * not end before.
 */
export function call_begin(policy: number, breaker: number, budget: number, now: number, deadline: number): number;

/**
 * The class of the latest failure, which is another than was told if the attempt was
 * late.
 */
export function call_class(slot: number): number;

/**
 * The retry that was decided is deferred: the reason for which the call ends, as `call_fail`
 * returns it.
 */
export function call_defer(slot: number, budget: number, budget_now: number): number;

/**
 * The attempt has failed: the delay in milliseconds, -1 and below for the reason to stop, or
 * [`TOO_LONG`]. The budget has granted the retry, at the time of its own clock if that is
 * told. `how`: 0 it threw, 1 by what it returned, 2 if the package has ended it at its time. In
 * the table is the new state of a breaker that the hint has opened plus 1, else 0, after the
 * delay.
 */
export function call_fail(slot: number, policy: number, breaker: number, budget: number, now: number, _class: number, how: number, retry_after: number, budget_now: number, breaker_now: number): number;

/**
 * The delay after which to go on with a call that stops for a reason by its number; NaN for
 * none.
 */
export function call_next_sleep(slot: number, reason: number): number;

/**
 * As [`call_begin`], asking a breaker that is not closed at the time of its clock; 0 if
 * it rejects the call, with the rejection in the table.
 */
export function call_probe(policy: number, breaker: number, budget: number, now: number, deadline: number, breaker_now: number): number;

/**
 * What was left of the deadline when the attempt started; infinity without one.
 */
export function call_remaining(slot: number): number;

/**
 * What is left of the deadline at `now`; infinity without one.
 */
export function call_remaining_at(slot: number, now: number): number;

/**
 * Starts the next attempt; false if the breaker has opened meanwhile, and the call asks.
 */
export function call_start(slot: number, policy: number, breaker: number): boolean;

/**
 * Ends a call that did not succeed, for a reason by its number. The new state of the breaker
 * plus 1, 0 if it is the old one; and from bit 2 on the class that the breaker counts plus 1,
 * 0 if the call was cancelled for it.
 */
export function call_stop(slot: number, breaker: number, reason: number, breaker_now: number): number;

/**
 * Ends a call that succeeded. Both times may be NaN if [`call_begin`] did not say
 * [`SUCCESS_COUNTS`]. The new state of the breaker plus 1, 0 if it is the old one.
 */
export function call_succeed(slot: number, policy: number, breaker: number, now: number, breaker_now: number): number;

/**
 * How long the attempt may take, by the deadline, too; infinity without a limit.
 */
export function call_timeout(slot: number): number;

/**
 * The delay is over; whether there is time for another attempt.
 */
export function call_wake(slot: number, now: number): boolean;

/**
 * The class of an error whose name has `length` letters. `marker`: 0 none, 1 a time-out,
 * 16 and on a class. Numbers are NaN where the error has none.
 */
export function classify(strict: number, marker: number, status: number, code: number, length: number): number;

/**
 * Where the name of an error is written, in ASCII.
 */
export function classify_name(): number;

/**
 * Gives back what any of the functions here reserved, and what goes with it.
 */
export function memory_release(slot: number): void;

/**
 * Makes room for `bytes` that the package writes, and returns where; 0 if there is none.
 */
export function memory_reserve(bytes: number): number;

/**
 * How long the first attempt of a call may take; infinity without a limit.
 */
export function policy_limit(slot: number): number;

/**
 * A policy of the settings in the table: most attempts, deadline, attempt timeout,
 * limit of unknown failures, limits by class (eight), the default strategy and those
 * by class (eight, 0 for none; without any there is no delay, as for a single attempt),
 * 1 if a long delay is cut, and retries of the three final classes (NaN for none).
 * 0 if one is out of its range.
 */
export function policy_new(): number;

/**
 * The stack is as empty as it was at the start. To be said by who enters the module while no
 * function of it runs: an exception that passes through one, as when JavaScript's own stack
 * overflows, leaves what that had on the stack.
 */
export function rewind(): void;

/**
 * A strategy of this kind; `link` is the slot of the fallback, or that of a sequence as
 * `second` numbers, which it takes over. Further numbers are in the table. 0 if there is no
 * memory or a setting is out of its range.
 */
export function strategy_new(kind: number, first: number, second: number, link: number): number;

/**
 * Where the table is.
 */
export function table(): number;

export function compiled(): object;
export function imports(shared?: object): Record<string, any>;
export function __wbg_set_wasm(exports: object): void;
