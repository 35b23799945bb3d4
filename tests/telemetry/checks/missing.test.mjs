import assert from "node:assert/strict";
import { test } from "node:test";
import { datadog } from "redress/datadog";
import { log } from "redress/log";
import { openTelemetry } from "redress/opentelemetry";
import { prometheus } from "redress/prometheus";
import { sentry } from "redress/sentry";

const CASES = [
  [openTelemetry, "@opentelemetry/api"],
  [prometheus, "prom-client"],
  [sentry, "@sentry/node"],
  [datadog, "hot-shots"],
];

for (const [watcher, name] of CASES) {
  test(`${watcher.name} without ${name} is one error that names the package and what was given`, () => {
    for (const given of [undefined, null, {}, 7]) {
      assert.throws(
        () => watcher(given),
        (error) => {
          assert.equal(error.name, "TypeError");
          assert.ok(error.message.startsWith(`${watcher.name}: it needs `), error.message);
          assert.ok(error.message.includes(`npm install ${name}`), error.message);
          return true;
        },
      );
    }
  });
}

test("log with what is no logger, or no level, says what would be right", () => {
  assert.throws(() => log({ warn() {} }), /log: it needs a logger: console, pino\(\), .*it has no debug, info/);
  assert.throws(() => log(console, { level: "trace" }), /log\.level: trace is not "debug", "info" or "warn"/);
});
