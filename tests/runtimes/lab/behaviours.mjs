// BEHAVIOURS.md names tests that exist.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HERE } from "./consumer.mjs";

/** Every test that the table names is in the suite, or a part of the laboratory has it by these words. */
export async function checkBehaviours() {
  const names = new Set();
  for (const file of readdirSync(join(HERE, "suite"))) {
    let group = "";
    const text = readFileSync(join(HERE, "suite", file), "utf8");
    for (const found of text.matchAll(/describe\("([^"]+)"\)|test\(\s*(["`])(.+?)\2,/g)) {
      if (found[1] === undefined) names.add(`${group}: ${found[3]}`);
      else group = found[1];
    }
  }
  const parts = readdirSync(join(HERE, "lab")).filter((file) => file.endsWith(".mjs"));
  const lab = parts.map((file) => readFileSync(join(HERE, "lab", file), "utf8")).join("");
  const table = readFileSync(join(HERE, "BEHAVIOURS.md"), "utf8")
    .split("\n")
    .filter((line) => /^\| (?!line |of |---)/.test(line));
  return table.map((line) => {
    const [, number, what, shown] = line.split(/(?<!\\)\|/);
    const named = [...shown.matchAll(/`([^`]+: [^`]+)`/g)].map(([, name]) => name);
    const missing = named.filter((name) => !names.has(name) && !lab.includes(name));
    const error = shown.trim() === "" ? "no test is named" : missing.join(", ");
    return { name: `${number.trim()}: ${what.trim()} is shown by a test`, error: error === "" ? null : error };
  });
}
