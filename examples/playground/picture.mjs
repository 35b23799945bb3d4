// Makes picture.png: the pictures of the first example, in Chromium.

import { build, serve } from "./build.mjs";
import { openChromium } from "./test/browsers.mjs";

const server = await serve(await build());
const { page, close } = await openChromium({ viewport: { width: 1120, height: 980 }, reducedMotion: "reduce" });
await page.goto(server.url);
await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("done"));
await page.screenshot({ path: new URL("picture.png", import.meta.url).pathname });
await close();
await server.close();
