// What can be linted, and what comes of it.

import { backoff, CircuitBreaker, Keyed, KeyedPolicy, Policy, RetryConfig, RetryPolicy } from "redress";
import { type ConfigSnapshot, describe, type Finding, lint, PolicyJson, show } from "redress/lint";

const strategy = backoff.constant(1);
const policy = new Policy({ retry: { strategy } });
export const findings: Finding[] = [
  ...lint(policy),
  ...lint(new KeyedPolicy({ circuitBreaker: new Keyed(CircuitBreaker, { capacity: 8 }), retry: { strategy } })),
  ...lint(new RetryPolicy({ strategy })),
  ...lint(new RetryConfig({ strategy })),
  ...lint({ strategy, maxAttempts: 3 }),
  ...lint({ retry: { strategy } }),
  ...lint(new PolicyJson(JSON.parse("{}"))),
];
export const errors: string[] = findings.filter(({ severity }) => severity === "error").map(({ message }) => message);
export const shown: ConfigSnapshot = describe(policy);
export const text: string = show(policy, "app:policy");
// @ts-expect-error a number is no configuration
export const wrong = (): unknown => lint(7);
// @ts-expect-error there is no such severity
export const none = findings.filter(({ severity }) => severity === "fatal");
