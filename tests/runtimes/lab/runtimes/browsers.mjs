// Chromium and Firefox: a page that imports the installed package through an import map.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importMap } from "../consumer.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

/** A page of Chromium; `close` ends the browser. */
export async function openChromium() {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return { page: await browser.newPage(), close: () => browser.close() };
}

/** A page of Firefox; `close` ends the browser. */
export async function openFirefox() {
  const { launch } = await import("puppeteer-core");
  const browser = await launch({
    browser: "firefox",
    executablePath: FIREFOX,
    headless: true,
    protocolTimeout: 240_000,
    extraPrefsFirefox: { "privacy.reduceTimerPrecision": false },
  });
  return { page: await browser.newPage(), close: () => browser.close() };
}

/** Runs the suite in a page; its results. */
export function runInBrowser(runtime, { project, base, filter }) {
  const template = readFileSync(join(project, "entries", "page.html"), "utf8");
  const map = JSON.stringify(importMap(project, "redress", "chai"));
  writeFileSync(
    join(project, "page.html"),
    template.replace("IMPORTMAP", () => map),
  );
  return runPage(runtime, { url: `${base}/page.html`, argument: { runtime, base, filter, env: {} } });
}

/** Opens a page that defines `runSuite`, and calls that; its results. */
export async function runPage(runtime, { url, argument }) {
  const { page, close } = await (runtime === "chromium" ? openChromium() : openFirefox());
  const noise = [];
  page.on("pageerror", (error) => noise.push(String(error?.stack ?? error)));
  page.on("console", (message) => noise.push(message.text()));
  try {
    await page.goto(url);
    await page.waitForFunction("window.ready === true", { timeout: 20_000 });
    return await page.evaluate(`window.runSuite(${JSON.stringify(argument)})`);
  } catch (error) {
    throw new Error(`${error.stack}\n${noise.join("\n")}`);
  } finally {
    await close();
  }
}
