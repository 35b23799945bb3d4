// A bundle holds what its program uses: the modules of WebAssembly that it names, and no other.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const MODULES = ["core", "guards", "adaptive", "extras", "http", "vendors", "lint"];

/** The modules that each entry needs, and the most that its bundle may have in bytes, minified and compressed. */
const ENTRIES = {
  small: { needs: ["core", "guards"], most: 26_000 },
  classified: { needs: ["core", "http"], most: 29_000 },
};

/** A piece of a module's text that no minifier writes differently, long enough to be in no other module. */
function piece(project, name) {
  const source = readFileSync(
    join(project, "node_modules", "redress", "dist", "esm", "wasm", "modules", `${name}.js`),
    "utf8",
  );
  const [, text] = /text = "([^]*?[^\\])"/.exec(source);
  return /[^"'`$\\]{80}/.exec(text.slice(text.length / 2))[0];
}

/** Builds each entry with `bundle(entry, folder)`, which writes `app.js`, minified or not; the results. */
export async function checkShaken(bundle, { project, folder, minified }) {
  const results = [];
  for (const [name, { needs, most }] of Object.entries(ENTRIES)) {
    const into = join(folder, name);
    await bundle(join(project, "entries", `${name}.js`), into);
    const built = readFileSync(join(into, "app.js"), "utf8");
    const held = MODULES.filter((module) => built.includes(piece(project, module)));
    results.push({
      name: `a bundle of ${name}.js holds ${needs.join(" and ")}`,
      error: String(held) === String(needs) ? null : `it holds ${held}`,
    });
    if (!minified) continue;
    const bytes = gzipSync(built, { level: 9 }).length;
    results.push({
      name: `a bundle of ${name}.js has at most ${most} bytes`,
      error: bytes <= most ? null : `it has ${bytes}`,
    });
  }
  return results;
}
