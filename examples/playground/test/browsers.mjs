// The system's Chromium and Firefox, for the tests and the picture.

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

/** A page of Chromium, and what ends the browser. */
export async function openChromium(options = {}) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  return { page: await browser.newPage(options), close: () => browser.close() };
}

/** A page of Firefox, and what ends the browser. */
export async function openFirefox() {
  const { launch } = await import("puppeteer-core");
  const extraPrefsFirefox = { "privacy.reduceTimerPrecision": false };
  const browser = await launch({ browser: "firefox", executablePath: FIREFOX, headless: true, extraPrefsFirefox });
  return { page: await browser.newPage(), close: () => browser.close() };
}
