/* tslint:disable */
/* eslint-disable */

/**
 * Where the answer is.
 */
export function answer(): number;

/**
 * Answers the question that was written there: how many bytes it has, 0 if the question
 * could not be read.
 */
export function ask(): number;

/**
 * Room for a question of so many bytes.
 */
export function question(bytes: number): number;

export function compiled(): object;
export function imports(shared?: object): Record<string, any>;
export function __wbg_set_wasm(exports: object): void;
