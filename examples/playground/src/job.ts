// What the page and its worker send each other.

import type { Finding } from "redress/lint";
import type { Delays } from "./delays.js";
import type { Course } from "./outage.js";
import type { State } from "./state.js";

/** What the worker is to compute. A job with a newer number takes the place of the one under way. */
export interface Job {
  readonly id: number;
  readonly state: State;
}

/** With guards, and without budget and breaker. */
export interface Courses {
  readonly guarded: Course;
  readonly unguarded: Course;
}

/** What it answers, in this order; after findings with an error nothing follows. */
export type Answer =
  | { readonly id: number; readonly kind: "findings"; readonly findings: readonly Finding[] }
  | { readonly id: number; readonly kind: "delays"; readonly delays: Delays }
  /** So far: from 0 to 1, which is the end. */
  | { readonly id: number; readonly kind: "courses"; readonly share: number; readonly courses: Courses }
  | { readonly id: number; readonly kind: "broken"; readonly message: string };
