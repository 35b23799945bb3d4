// Opens the page in the system's Chromium, for the test and the screenshot.

import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

/** The page, and its browser to close. */
export async function browse(url) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 960, height: 640 } });
  await page.goto(url);
  return { browser, page };
}

/** A file to upload: `kib` KiB that differ from piece to piece. */
export function file(kib) {
  const buffer = Buffer.alloc(kib * 1024);
  for (let n = 0; n < buffer.length; n += 1) buffer[n] = (n * 31 + (n >> 8)) & 255;
  return { name: "holiday.bin", mimeType: "application/octet-stream", buffer };
}
