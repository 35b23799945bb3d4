// The policy of these tests.

import { backoff, Policy } from "redress";

/** Three attempts without delays to speak of. */
export const quick = (more = {}, rest = {}) =>
  new Policy({ retry: { strategy: backoff.constant(1), maxAttempts: 3, maxUnknownAttempts: 0, ...more }, ...rest });
