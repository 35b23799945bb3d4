import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { browse, file } from "./browse.mjs";
import { startServer } from "./server.mjs";

let server;
let browser;
let page;

beforeEach(async () => {
  server = await startServer();
  ({ browser, page } = await browse(server.url));
});

afterEach(async () => {
  await browser.close();
  await server.close();
});

const status = () => page.locator("[role=status]").textContent();
const statusStarts = (word) =>
  page.waitForFunction((start) => document.querySelector("[role=status]").textContent.startsWith(start), word);

test("a file arrives whole over a bad network, and the picture shows every attempt", async () => {
  const sent = file(800);
  await page.setInputFiles("input[name=file]", sent);
  await page.click("button[type=submit]");
  await statusStarts("Done");
  assert.ok(server.bytes(sent.name).equals(sent.buffer));
  assert.ok(server.requests > 13, `${server.requests} requests for 13 pieces`);
  assert.equal(await page.locator("progress").evaluate((element) => element.value), 1);
  const bars = await page.locator("svg rect:not(.waiting)").count();
  assert.equal(await page.locator("svg rect.sent").count(), 13);
  assert.equal(bars, server.requests);
  assert.match(await status(), new RegExp(`13 of 13 pieces arrived, in ${bars} attempts`));
});

test("cancel stops at once, and nothing is sent any more", async () => {
  server.network = () => ({ fail: "hang" });
  await page.setInputFiles("input[name=file]", file(800));
  await page.click("button[type=submit]");
  await page.waitForFunction(() => document.querySelectorAll("rect.running").length === 3);
  await page.click("button[name=cancel]");
  await statusStarts("Stopped (cancelled)");
  assert.equal(server.requests, 3);
  assert.equal(await page.locator("svg rect.cancelled").count(), 3);
});

test("a server that stays down ends the upload, and says so", async () => {
  server.network = () => ({ fail: "busy" });
  await page.setInputFiles("input[name=file]", file(10));
  await page.click("button[type=submit]");
  await statusStarts("Stopped");
  assert.equal(server.requests, 8);
});
