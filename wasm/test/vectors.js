// The vectors of either kind, through the public API of the package alone: runs wherever it does.

import { difference, exists } from "./classifiers.js";
import { Digest } from "./digest.js";
import { runScenario } from "./scenario.js";

/** Tags of vectors that depend on what redress does otherwise on purpose. */
const DEVIATIONS = [
  "stale_completion",
  "class_threshold_shared_count",
  "adaptive_uncredited_success",
  "adaptive_nested",
  "decorrelated_inverted_range",
  "lenient_integer",
  "lenient_date",
  "retry_after_only_429",
  "sqlstate_any_word",
  "aws_short_list",
];

const deviates = (tags) => tags.some((tag) => DEVIATIONS.includes(tag));

/** Runs scenarios, by `execute` of the policy or another way to: `{ passed, failed, skipped, digest, failures }`. */
export async function runEngine(scenarios, execute) {
  const digest = new Digest();
  const report = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const scenario of scenarios) {
    // What deviates is run, too: its decisions are part of the digest.
    const differences = await runScenario(scenario, digest, execute);
    if (deviates(scenario.quirks ?? [])) report.skipped += 1;
    else if (differences.length === 0) report.passed += 1;
    else {
      report.failed += 1;
      report.failures.push(`${scenario.name}: ${differences.join("; ")}`);
    }
  }
  return { ...report, digest: String(digest) };
}

/** Runs classifier cases: `{ passed, failed, skipped, failures }`. */
export function runClassifiers(cases) {
  const report = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const [index, entry] of cases.entries()) {
    if (!exists(entry) || deviates([entry.quirk])) {
      report.skipped += 1;
      continue;
    }
    const why = difference(entry);
    if (why === null) report.passed += 1;
    else {
      report.failed += 1;
      report.failures.push(`case ${index + 1}, ${entry.classifier} of ${JSON.stringify(entry.error)}: ${why}`);
    }
  }
  return report;
}
