// Makes screenshot.png: an upload through a bad network, when it is done.

import { browse, file } from "./browse.mjs";
import { startServer } from "./server.mjs";

const server = await startServer();
const { browser, page } = await browse(server.url);
await page.setInputFiles("input[name=file]", file(1_500));
await page.click("button[type=submit]");
await page.waitForFunction(() => document.querySelector("[role=status]").textContent.startsWith("Done"));
await page.screenshot({ path: new URL("screenshot.png", import.meta.url).pathname, fullPage: true });
await browser.close();
await server.close();
