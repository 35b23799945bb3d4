#!/usr/bin/env node
// The command line of redress.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { doctor, type Report } from "./doctor.js";

const USAGE = "usage: redress doctor [--show] [--json] module[:attribute]\n";
const HELP = `${USAGE}
Lints a policy: errors would be refused when it is built, warnings work, but hardly as meant,
notes are good to know.

  module[:attribute]  a file and what it exports: a RetryConfig, Retry, RetryPolicy, Policy, or
                      their options; the attribute is 'config' if none is named. Or a file
                      *.json with the options of a policy.

options:
  --show         print the values that the policy comes to
  --json         print the findings as JSON
  -h, --help     print this
  -V, --version  print the version

Exit code: 0 without errors, 1 with errors or if the target cannot be loaded, 2 for wrong usage.
`;

const BOOLEAN = { type: "boolean", default: false } as const;
const OPTIONS = {
  show: BOOLEAN,
  json: BOOLEAN,
  help: { ...BOOLEAN, short: "h" },
  version: { ...BOOLEAN, short: "V" },
} as const;

const parsed = (words: string[]) => parseArgs({ args: words, allowPositionals: true, options: OPTIONS });

type Ending = Omit<Report, "code"> & { code: 0 | 1 | 2 };

async function main(words: string[]): Promise<Ending> {
  let given: ReturnType<typeof parsed>;
  try {
    given = parsed(words);
  } catch (error) {
    return misused((error as Error).message);
  }
  const { values, positionals } = given;
  const [command, target, ...more] = positionals;
  if (values.help) return { text: HELP, code: 0 };
  if (values.version) return { text: `${version()}\n`, code: 0 };
  if (command === undefined) return misused("the following arguments are required: command");
  if (command !== "doctor") return misused(`'${command}' is no command; there is doctor`);
  if (target === undefined) return misused("the following arguments are required: module[:attribute]");
  if (more.length > 0) return misused(`unrecognized arguments: ${more.join(" ")}`);
  return doctor(target, values);
}

function misused(why: string): Ending {
  return { text: `${USAGE}redress: error: ${why}\n`, code: 2 };
}

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

// Not by `await`: Node warns of a module that waits for ever, and `doctor` says that itself.
main(process.argv.slice(2)).then(({ text, code }) => {
  const stream = code === 2 ? process.stderr : process.stdout;
  // The module may have started what keeps the process alive.
  stream.write(text, () => process.exit(code));
});
