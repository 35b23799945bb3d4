// The modules of WebAssembly in the package: how each is linked, what of it is published, and
// its form as text.

import binaryen from "binaryen";

/** The core is compiled for speed within small bytes; what is called seldom, for bytes alone. */
const SMALL = "z";
/**
 * Up to this cost, by LLVM's count, functions of the core and of the guards are inlined. The level's own threshold,
 * 50, makes 150 bytes more by gzip of the guards; 0 makes 300 more of both.
 */
const INLINED = 25;

/**
 * Each is compiled from a crate with these features, at a level of optimisation and a threshold of inlining if not the
 * profile's, with so many bytes of stack. Those that share a memory are laid out in this order.
 */
export const MODULES = [
  { name: "core", crate: "redress-wasm", inlined: INLINED, stack: 65_536, shares: true },
  // They work on the core's slots, which all know by the same types, and on its stack.
  { name: "guards", crate: "redress-wasm", features: ["guards"], inlined: INLINED, stack: 0, shares: true },
  { name: "adaptive", crate: "redress-wasm", features: ["adaptive"], level: SMALL, stack: 0, shares: true },
  { name: "extras", crate: "redress-wasm", features: ["extras"], level: SMALL, stack: 0, shares: true },
  { name: "http", crate: "redress-wasm-tables", features: ["http"], level: SMALL, stack: 16_384 },
  { name: "vendors", crate: "redress-wasm-tables", level: SMALL, stack: 16_384 },
  { name: "clients", crate: "redress-wasm-tables", features: ["clients"], level: SMALL, stack: 16_384 },
  { name: "lint", crate: "redress-wasm-lint", level: SMALL, formats: true, stack: 262_144 },
];

/** Where the first of the modules that share begins. */
export const START = { address: 0, function: 0 };

/** The linker's arguments for a module that begins where the ones before it end, by the linker's own word. */
export function linked({ stack, shares }, { address, function: first }) {
  const words = ["--export=__heap_base", `-zstack-size=${stack}`];
  if (shares) words.push("--import-memory", "--import-table", "--growable-table");
  if (address === 0 || !shares) return words;
  return [...words, "--no-stack-first", `--global-base=${Math.ceil(address / 16) * 16}`, `--table-base=${first}`];
}

/**
 * How large the memory and the table of functions are that modules share, by where the last of them ends; and by kind
 * and name, where the settings are in the table of numbers.
 */
export function layout({ address, function: functions, settings }) {
  const places = JSON.stringify(placesOf(settings));
  return `export const PAGES = ${Math.ceil(address / 65_536)};
export const FUNCTIONS = ${functions};
export const LAYOUT = ${places};
`;
}

/** Its types: those of `LAYOUT`, and of `AT`, whose places the build writes into what uses them. */
export function layoutTypes({ settings }) {
  const kinds = Object.entries(placesOf(settings)).map(
    ([kind, fields]) =>
      `  readonly ${kind}: { ${Object.keys(fields)
        .map((field) => `readonly ${field}: number`)
        .join("; ")} };\n`,
  );
  return `export const PAGES: number;
export const FUNCTIONS: number;
export const LAYOUT: {
${kinds.join("")}};
declare global {
  const AT: typeof LAYOUT;
}
`;
}

/** What esbuild writes in place of `AT.Breaker.lease` and its like. */
export function placed({ settings }) {
  const places = Object.entries(placesOf(settings)).flatMap(([kind, fields]) =>
    Object.entries(fields).map(([field, at]) => [`AT.${kind}.${field}`, String(at)]),
  );
  return Object.fromEntries(places);
}

/** The places of settings by their kind and their name; those of a kind that begins with another have that one's, too. */
function placesOf(settings) {
  const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
  const first = (field) => settings[field[0].toUpperCase() + field.slice(1)];
  const flat = (fields) =>
    Object.entries(fields).flatMap(([field, at]) => {
      const whole = at === 0 ? first(field) : undefined;
      return whole === undefined ? [[camel(field), at]] : flat(whole);
    });
  return Object.fromEntries(Object.entries(settings).map(([kind, fields]) => [kind, Object.fromEntries(flat(fields))]));
}

/** The core's formatting, which a single panic with a message brings in; the linter alone has use for it. */
const FORMATTING = /4core3fmt/;

/** Refuses a module that formats texts. */
export function checkFormatting(bytes) {
  const module = binaryen.readBinary(bytes);
  const functions = Array.from(
    { length: module.getNumFunctions() },
    (_, n) => binaryen.getFunctionInfo(module.getFunctionByIndex(n)).name,
  );
  module.dispose();
  const needless = functions.filter((name) => FORMATTING.test(name));
  if (needless.length > 0) throw new Error(`the module formats texts, by a panic perhaps: ${needless.join(", ")}`);
}

/** A module with short names for the functions that it exports; by their names, those. */
export function shortened(bytes) {
  const module = binaryen.readBinary(bytes);
  const exported = Array.from({ length: module.getNumExports() }, (_, n) =>
    binaryen.getExportInfo(module.getExportByIndex(n)),
  );
  const names = {};
  for (const { name, value } of exported.filter(({ kind }) => kind === binaryen.ExternalFunction)) {
    names[name] = shortName(Object.keys(names).length);
    module.removeExport(name);
    module.addFunctionExport(value, names[name]);
  }
  const short = Buffer.from(module.emitBinary());
  module.dispose();
  return { bytes: short, names };
}

function shortName(index) {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  return (index < 26 ? "" : letters[Math.floor(index / 26) - 1]) + letters[index % 26];
}

/** What a module imports, as a function of what is shared: of its own functions' file, and of others. */
export function importsOf(bytes, own) {
  const wanted = {};
  for (const { module, name } of WebAssembly.Module.imports(new WebAssembly.Module(bytes))) {
    if (module !== "env") (wanted[module] ??= []).push(name);
  }
  const foreign = Object.entries(wanted).filter(([module]) => module !== own);
  const lines = foreign.map(([module, names]) => `import { ${names.join(", ")} } from ${JSON.stringify(module)};\n`);
  const objects = Object.entries(wanted).map(
    ([module, names]) => `, ${JSON.stringify(module)}: { ${names.join(", ")} }`,
  );
  return `${lines.join("")}export const imports = (shared) => ({ env: shared${objects.join("")} });\n`;
}

/** The text of which `moduleOf` in ts/wasm/inline.ts makes a module. */
export function textOf(bytes) {
  const digit = (value) => String.fromCharCode(value === 57 ? 33 : value + 35);
  const rankOf = (byte) => (byte < 69 ? byte : byte >= 96 && byte < 117 ? byte - 27 : byte < 96 ? byte + 21 : byte);
  return Array.from(bytes, (byte) => {
    const rank = rankOf(byte);
    return rank < 90 ? digit(rank) : digit(90 + Math.floor((rank - 90) / 92)) + digit((rank - 90) % 92);
  }).join("");
}
