import type { ErrorClass } from "../../types.js";

/** Words by the class of an error that has one of them. */
export type Words = readonly (readonly [ErrorClass, RegExp])[];

// The core's tables, printed at build; what they hold is said in core/src/classify/system.rs and web.rs.
export const ABORT_NAMES: RegExp;
export const CONNECTION_CODES: RegExp;
export const CONNECTION_MESSAGES: RegExp;
export const SYSTEM_CODES: Words;
export const DOM_EXCEPTIONS: Words;
/** The codes of resolvers and of certificates. */
export const CODES: Words;
export const CLIENT_CODES: Words;
/** The beginnings of messages. */
export const CLIENT_MESSAGES: Words;
