// What programs weigh that use more and more of the package: the table of wasm/README.md.
//
//   node tests/runtimes/bench/weights.mjs [--tarball FILE]

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { consumer, pack } from "../lab/consumer.mjs";
import { PROGRAMS } from "./programs.mjs";
import { bundle } from "./sizes.mjs";

const { values } = parseArgs({ options: { tarball: { type: "string" } } });
const shelf = mkdtempSync(join(tmpdir(), "redress-tarball-"));
const project = consumer(values.tarball ?? pack(shelf));

const kilobytes = ({ js, wasm }) => `${((js + wasm) / 1000).toFixed(1)} KB`;
console.log("| a program that uses | wasm inlined | as a file |\n| --- | ---: | ---: |");
for (const [name, contents] of Object.entries(PROGRAMS)) {
  const inlined = await bundle(contents, project, ["browser"]);
  const file = await bundle(contents, project, ["workerd", "worker"]);
  console.log(`| ${name} | ${kilobytes(inlined)} | ${kilobytes(file)} |`);
}
for (const folder of [project, shelf]) rmSync(folder, { recursive: true, force: true });
