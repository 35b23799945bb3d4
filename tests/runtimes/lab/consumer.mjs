// A user's project: the packed tarball, installed as a user would.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the laboratory: tests/runtimes. */
export const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
/** The folder of the repository. */
export const REPOSITORY = dirname(dirname(HERE));

/** Runs npm; its output is part of the error if it fails. */
export function npm(folder, ...words) {
  try {
    const options = { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };
    return execFileSync("npm", words, options);
  } catch (error) {
    throw new Error(`npm ${words.join(" ")} in ${folder}:\n${error.stdout}${error.stderr}`);
  }
}

/** Builds and packs the npm package; the path of the tarball. */
export function pack(into) {
  const folder = join(REPOSITORY, "wasm");
  npm(folder, "ci");
  npm(folder, "run", "build");
  return packBuilt(into);
}

/** Packs the npm package as it was built before; the path of the tarball. */
export function packBuilt(into) {
  const [{ filename }] = JSON.parse(npm(join(REPOSITORY, "wasm"), "pack", "--json", "--pack-destination", into));
  return join(into, filename);
}

/** A project in a new folder that depends on `tarball`, with the suite beside it. */
export function consumer(tarball) {
  const folder = mkdtempSync(join(tmpdir(), "redress-consumer-"));
  const manifest = { name: "consumer", private: true, type: "module" };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const assertions = join(HERE, "node_modules", "chai");
  npm(folder, "install", "--offline", "--no-audit", "--no-fund", "--install-links", tarball, assertions);
  for (const part of ["suite", "entries"]) cpSync(join(HERE, part), join(folder, part), { recursive: true });
  // The runner of vectors imports nothing but the package, so that it runs wherever that does.
  cpSync(join(REPOSITORY, "wasm", "test"), join(folder, "suite", "vectors"), { recursive: true });
  mkdirSync(join(folder, "out"));
  return folder;
}

/** The import map a page needs in place of a bundler: what `exports` says to a browser. */
export function importMap(folder, ...packages) {
  const imports = {};
  for (const name of packages) {
    const manifest = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"));
    const exported = manifest.exports ?? { ".": manifest.module ?? manifest.main };
    const entries = typeof exported === "string" ? { ".": exported } : exported;
    for (const [subpath, target] of Object.entries(entries)) {
      const file = choose(target, ["browser", "import", "default"]);
      if (file !== undefined) {
        imports[name + subpath.slice(1)] = `/node_modules/${name}/${file.replace(/^\.\//, "")}`;
      }
    }
  }
  return { imports };
}

function choose(target, conditions) {
  if (typeof target === "string") return target;
  for (const [condition, inner] of Object.entries(target ?? {})) {
    if (!conditions.includes(condition)) continue;
    const chosen = choose(inner, conditions);
    if (chosen !== undefined) return chosen;
  }
  return undefined;
}
