// The page in Chromium, and as people set their browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openChromium } from "./browsers.mjs";
import { marks, open, settled } from "./page.mjs";
import { pageTests, served } from "./page-tests.mjs";

const server = served();
pageTests("chromium", openChromium, server);

/** Opens Chromium with options of its own. */
const launched = async (options, run) => {
  const { page, close } = await openChromium(options);
  try {
    await run(page);
  } finally {
    await close();
  }
};

test("it fits into 360 pixels, in a light and in a dark page", async () => {
  const colours = [];
  for (const colorScheme of ["light", "dark"]) {
    await launched({ viewport: { width: 360, height: 740 }, colorScheme }, async (page) => {
      await open(page, server.url);
      await settled(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
      colours.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      // The pictures have ink of that page's.
      colours.push(await page.evaluate(() => document.querySelector("#chart-load canvas").toDataURL().length > 1_000));
    });
  }
  assert.deepEqual(colours, ["rgb(255, 255, 255)", true, "rgb(22, 24, 28)", true]);
});

test("where motion is to be reduced the pictures over time are drawn once, at the end", async () => {
  const drawn = async (reducedMotion) => {
    let count;
    await launched({ reducedMotion }, async (page) => {
      await page.addInitScript(() => {
        window.drawn = 0;
        const { fillRect } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.fillRect = function (...words) {
          // The shade of the outage is drawn with each picture.
          if (this.canvas.closest("#chart-load") && performance.getEntriesByName("delays").length > 0)
            window.drawn += 1;
          return fillRect.apply(this, words);
        };
      });
      await open(page, server.url);
      await settled(page);
      const progress = (await marks(page)).filter(({ name }) => name === "progress").length;
      count = { drawn: await page.evaluate(() => window.drawn), progress };
    });
    return count;
  };
  const still = await drawn("reduce");
  assert.ok(still.progress >= 1 && still.drawn === 1, JSON.stringify(still));
  const moving = await drawn("no-preference");
  assert.ok(moving.drawn > 1, JSON.stringify(moving));
});

test("by keyboard every control is reached in turn, and left again", async () => {
  await launched({}, async (page) => {
    await open(page, server.url);
    await settled(page);
    const wanted = await page.evaluate(
      () => document.querySelectorAll("input, select, textarea, button, [tabindex='0']").length,
    );
    const reached = await page.evaluate(() => (document.body.focus(), []));
    for (let nth = 0; nth < wanted; nth += 1) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(() => {
          const { activeElement: on } = document;
          const named = on.getAttribute("aria-label") ?? on.labels?.[0]?.textContent ?? on.textContent;
          return { at: on.id || on.tagName, named: named.trim() !== "" };
        }),
      );
    }
    assert.equal(new Set(reached.map(({ at }) => at)).size >= wanted - 1, true, JSON.stringify(reached));
    assert.ok(
      reached.every(({ named }) => named),
      JSON.stringify(reached.filter(({ named }) => !named)),
    );
  });
});
