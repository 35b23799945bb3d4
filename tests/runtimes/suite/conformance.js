// The vectors, through the public API, and the digest that the host's engine has, too.

import { assert, describe, test } from "./harness.js";
import { runClassifiers, runEngine } from "./vectors/vectors.js";

describe("conformance");

const read = async (base, file) => (await fetch(`${base}/${file}`)).json();

test("every scenario of engine.json is decided as expected, with the digest of the host", async ({ base }) => {
  const { passed, failures, digest } = await runEngine(await read(base, "vectors/engine.json"));
  assert.equal(failures.length, 0, failures.slice(0, 5).join("\n"));
  assert.isAbove(passed, 500);
  assert.equal(String(digest), (await read(base, "host.json")).digest);
});

test("every error that JavaScript can have is classified as the vectors say", async ({ base }) => {
  const { passed, failures } = await runClassifiers(await read(base, "vectors/classifiers.json"));
  assert.equal(failures.length, 0, failures.slice(0, 8).join("\n"));
  assert.isAbove(passed, 900);
});
