// The modules of WebAssembly in the package: how each is linked, what of it is published, and
// its form as text.

import binaryen from "binaryen";

/** Bytes of the stack in the core: the largest budget is made on it. */
const STACK = 65_536;
/** Where the data and the stack of the module `more` are in the core's memory, and their end. */
const MORE = 73_728;
const MORE_STACK = 114_688;
const MEMORY = 196_608;
/** Where the functions of the module `more` are in the core's table, which ts/more.ts lengthens for them. */
const FUNCTIONS = 128;

/** The core is compiled for speed within small bytes; what is called seldom, for bytes alone. */
const SMALL = "z";

const stack = (bytes) => [`-zstack-size=${bytes}`];

/** Each is compiled from a crate with these features, at a level of optimisation if not the profile's, by these words to the linker. */
export const MODULES = [
  {
    name: "core",
    crate: "redress-wasm",
    link: [...stack(STACK), `--initial-memory=${MEMORY}`, "--export-table", "--growable-table"],
  },
  {
    // It works in the core's memory, on slots that both know by the same types.
    name: "more",
    crate: "redress-wasm",
    features: ["more"],
    level: SMALL,
    link: [
      ...stack(MORE_STACK),
      "--no-stack-first",
      "--import-memory",
      "--import-table",
      `--global-base=${MORE}`,
      `--table-base=${FUNCTIONS}`,
    ],
  },
  { name: "http", crate: "redress-wasm-tables", features: ["http"], level: SMALL, link: stack(16_384) },
  { name: "vendors", crate: "redress-wasm-tables", level: SMALL, link: stack(16_384) },
  { name: "lint", crate: "redress-wasm-lint", level: SMALL, formats: true, link: stack(262_144) },
];

/** The core's formatting, which a single panic with a message brings in; the linter alone has use for it. */
const FORMATTING = /4core3fmt/;

/** What the linker exports for a host that does not exist here. */
const NEEDLESS = ["__data_end", "__heap_base"];

/** Makes of a linked module what is published: its exports under short names, which `names` collects. */
export function published(linked, names, formats = false) {
  const module = binaryen.readBinary(linked);
  const functions = Array.from({ length: module.getNumFunctions() }, (_, n) => binaryen.getFunctionInfo(module.getFunctionByIndex(n)).name);
  const needless = functions.filter((name) => !formats && FORMATTING.test(name));
  if (needless.length > 0) throw new Error(`the module formats texts, by a panic perhaps: ${needless.join(", ")}`);
  const kept = [];
  let end = 0;
  for (let index = 0; index < module.getNumExports(); index += 1) {
    kept.push(binaryen.getExportInfo(module.getExportByIndex(index)));
  }
  for (const { name, value, kind } of kept) {
    if (name === "__heap_base") end = binaryen.getExpressionInfo(binaryen.getGlobalInfo(module.getGlobal(value)).init).value;
    if (NEEDLESS.includes(name)) module.removeExport(name);
    if (kind !== binaryen.ExternalFunction || !isLong(name)) continue;
    names[name] ??= shortName(Object.keys(names).length);
    module.removeExport(name);
    module.addFunctionExport(value, names[name]);
  }
  const bytes = Buffer.from(module.emitBinary());
  module.dispose();
  return { bytes, end };
}

/** Names that the package's JavaScript has for nothing but exports of a module. */
export const LONG = /^(breaker|budget|call|classify|memory|policy|snapshot|strategy|window)_[a-z_]+$/;
const isLong = (name) => LONG.test(name);

function shortName(index) {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  return (index < 26 ? "" : letters[Math.floor(index / 26) - 1]) + letters[index % 26];
}

/** Refuses modules that would write over each other, by where the data of each ends. */
export function checkLayout(ends) {
  if (ends.core > MORE) throw new Error(`the core's data end at ${ends.core}, beyond ${MORE}, where those of \`more\` begin`);
  if (ends.more > MEMORY) throw new Error(`the stack of \`more\` ends at ${ends.more}, beyond the memory of ${MEMORY} bytes`);
}

/** The text of which `moduleOf` in ts/inline.ts makes a module. */
export function textOf(bytes) {
  const digit = (value) => String.fromCharCode(value === 57 ? 33 : value + 35);
  const rankOf = (byte) => (byte < 69 ? byte : byte >= 96 && byte < 117 ? byte - 27 : byte < 96 ? byte + 21 : byte);
  return Array.from(bytes, (byte) => {
    const rank = rankOf(byte);
    return rank < 90 ? digit(rank) : digit(90 + Math.floor((rank - 90) / 92)) + digit((rank - 90) % 92);
  }).join("");
}
