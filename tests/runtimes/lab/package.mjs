// The tarball as a package: what its manifest promises, its types say, and its README shows.

import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, transform } from "esbuild";
import { checkComments } from "./comments.mjs";
import { HERE, REPOSITORY } from "./consumer.mjs";
import { checkMaps } from "./maps.mjs";
import { commandOf, run } from "./runtimes/process.mjs";

const bin = (name) => join(HERE, "node_modules", ".bin", name);
/** By the package, as several have a command of this name. */
const tsc = (version) => join(HERE, "node_modules", version, "bin", "tsc");

/** One command whose exit code is the result. */
async function check(name, command, options) {
  const { code, stdout, stderr } = await run(command, options);
  return { name, error: code === 0 ? null : `exit code ${code}\n${stdout}${stderr}`, ms: 0 };
}

/** The manifest: every condition leads to a file of the right kind, with its types. */
export async function checkManifest({ project, tarball }) {
  const listed = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" });
  const needless = listed.split("\n").filter((path) => /node_modules|\.tsbuildinfo|\/src\/.*\.rs$|tests?\//.test(path));
  const manifest = JSON.parse(readFileSync(join(project, "node_modules", "redress", "package.json"), "utf8"));
  const isOptional = (name) => manifest.peerDependenciesMeta?.[name]?.optional === true;
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter((name) => !isOptional(name));
  const dependencies = [...Object.keys(manifest.dependencies ?? {}), ...peers];
  return [
    await check("publint finds nothing", [bin("publint"), "run", tarball, "--strict"]),
    await check("attw finds nothing", [bin("attw"), tarball, "--no-definitely-typed"]),
    {
      name: "the tarball holds what is published and nothing else",
      error: needless.length === 0 ? null : needless.join("\n"),
    },
    {
      name: "there is no runtime dependency, and every peer is optional",
      error: dependencies.length === 0 ? null : dependencies.join(", "),
    },
    ...checkMaps(join(project, "node_modules", "redress")),
    {
      name: "package: it says where its home, its issues and its changes are",
      error: manifest.homepage && manifest.bugs && listed.includes("package/CHANGELOG.md\n") ? null : listed,
    },
    ...(await checkUnbuilt(project)),
    await checkBundleForNode(project),
  ];
}

/** A checkout in which nothing is built is not packed, and what misses is said. */
async function checkUnbuilt(project) {
  const folder = join(project, "unbuilt");
  const built = /\/wasm\/(dist|node_modules|CHANGELOG\.md|LICENSE-\w+|.*\.tgz)$/;
  cpSync(join(REPOSITORY, "wasm"), folder, { recursive: true, filter: (path) => !built.test(path) });
  const results = [];
  for (const words of [
    ["pack", "--dry-run"],
    ["publish", "--dry-run"],
  ]) {
    const { code, stdout, stderr } = await run(["npm", ...words], { cwd: folder });
    const isRefused = code !== 0 && /is not there, and \d+ others: run `npm ci` and `npm run build`/.test(stderr);
    results.push({
      name: `package: npm ${words.join(" ")} refuses a checkout in which nothing is built`,
      error: isRefused ? null : `exit code ${code}\n${stdout}${stderr}`,
    });
  }
  const bundle = join(folder, "ts", "entries.ts");
  writeFileSync(bundle, `${readFileSync(bundle, "utf8")}export * as more from "./more.js";\n`);
  cpSync(join(project, "node_modules", "redress"), folder, {
    recursive: true,
    filter: (path) => !path.endsWith("entries.ts"),
  });
  const { code, stderr } = await run(["npm", "pack", "--dry-run"], { cwd: folder });
  const isRefused = code !== 0 && stderr.includes("package.json is not as the entries in ts/entries.ts are");
  results.push({
    name: "package: an entry that the manifest does not have is refused",
    error: isRefused ? null : `exit code ${code}\n${stderr}`,
  });
  return results;
}

/** A bundler whose program is for Node takes the small modules, not the one that Node itself takes. */
async function checkBundleForNode(project) {
  const entryPoints = [join(project, "entries", "small.js")];
  const { metafile } = await build({ entryPoints, bundle: true, platform: "node", write: false, metafile: true });
  const theirs = Object.keys(metafile.inputs).filter((path) => path.includes("node_modules/redress/"));
  const other = theirs.filter((path) => !path.includes("/dist/esm/"));
  const isRight = theirs.length > 10 && other.length === 0;
  return {
    name: "a bundle for Node is of small modules",
    error: isRight ? null : `${theirs.length}: ${other.join(", ")}`,
  };
}

/** The oldest TypeScript that reads the types, as the README says. */
const OLDEST = "typescript-5-0";
/** Each: the compiler, how modules are resolved, and what is compiled with which types. */
const PROJECTS = [
  ["typescript", "nodenext", "nodenext"],
  ["typescript", "node20", "node16"],
  ["typescript", "esnext", "bundler"],
  [OLDEST, "nodenext", "nodenext"],
  [OLDEST, "esnext", "bundler"],
];

/** The types, in a strict project without the DOM's, in each way of resolving modules; and in a worker. */
export async function checkTypes({ project }) {
  cpSync(join(HERE, "types"), join(project, "types"), { recursive: true });
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: false,
    target: "es2022",
    lib: ["es2022"],
    types: [],
  };
  const compiled = (name, version, file, config) => {
    writeFileSync(join(project, file), JSON.stringify(config));
    return check(name, [tsc(version), "--project", file], { cwd: project });
  };
  const results = [];
  for (const [version, module, moduleResolution] of PROJECTS) {
    const compilerOptions = { ...strict, module, moduleResolution };
    const config = { compilerOptions, include: ["."], exclude: ["workers"] };
    const file = `types/tsconfig.${version}.${moduleResolution}.json`;
    results.push(
      await compiled(`types: tsc strict, ${moduleResolution}, lib es2022, by ${version}`, version, file, config),
    );
  }
  const workers = join(HERE, "node_modules", "@cloudflare", "workers-types", "index.d.ts");
  // Theirs are not checked here.
  const ofWorker = { ...strict, module: "esnext", moduleResolution: "bundler", skipLibCheck: true };
  results.push(
    await compiled(
      "types: a worker's Env by wrangler types takes RedressState",
      "typescript",
      "types/workers/tsconfig.json",
      {
        compilerOptions: ofWorker,
        files: ["worker.ts", workers],
      },
    ),
    await runDecorated(project),
    checkComments({ project }),
  );
  return results;
}

/** A class with decorators, compiled as the language says, does what its methods do. */
async function runDecorated(project) {
  const file = join(project, "out", "decorators.mjs");
  const source = readFileSync(join(project, "types", "decorators.ts"), "utf8");
  const proof =
    "if ((await length) !== 4 || (await bare) !== 'bare' || gateway.calls !== 3) throw new Error('decorated');";
  try {
    const { code } = await transform(`${source}\n${proof}`, { loader: "ts", target: "es2022" });
    writeFileSync(file, code);
  } catch (error) {
    return { name: "decorators compile", error: error.message };
  }
  return check("decorators of stage 3 run", [...commandOf("node-20"), file], { cwd: project });
}
