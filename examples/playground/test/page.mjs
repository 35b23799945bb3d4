// What a person does with the page, in a page of Chromium or Firefox.

/** The page at a part of the address. */
export async function open(page, url, hash = "") {
  // Another part of the address alone does not load anything.
  await page.goto("about:blank");
  await page.goto(url + hash);
  await page.waitForFunction(`performance.getEntriesByName("ready").length === 1`);
}

/** Waits until the newest job has computed everything. */
export async function settled(page) {
  await page.waitForFunction(
    `document.getElementById("status").textContent.startsWith("done") && document.getElementById("progress").value === 1`,
    { timeout: 60_000 },
    { timeout: 60_000 },
  );
}

/** The text of an element. */
export function text(page, id) {
  return page.evaluate((name) => document.getElementById(name).textContent, id);
}

/** Types into a field or the text, in place of what is there. */
export async function retype(page, id, typed) {
  await page.evaluate((name) => {
    const element = document.getElementById(name);
    element.focus();
    element.select();
  }, id);
  await page.keyboard.type(typed);
}

/** Chooses in a list. */
export function choose(page, id, value) {
  return page.evaluate(
    ([name, chosen]) => {
      const element = document.getElementById(name);
      element.value = chosen;
      for (const event of ["input", "change"]) element.dispatchEvent(new Event(event, { bubbles: true }));
    },
    [id, value],
  );
}

/** What has happened so far, in order: its name, its job, and when, in milliseconds since the navigation. */
export function marks(page) {
  return page.evaluate(() =>
    performance
      .getEntriesByType("mark")
      .map(({ name, startTime, detail }) => ({ name, job: detail.job, ms: Math.round(startTime) })),
  );
}

/** The sums in the table, by row: with guards, and without. */
export function totals(page) {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll("#totals tr")].map((row) => {
        const cells = [...row.querySelectorAll("td")];
        return [row.querySelector("th").textContent, cells.map((cell) => Number(cell.textContent.replaceAll(",", "")))];
      }),
    ),
  );
}

/** Waits until an expression in the page is true. */
export function until(page, expression) {
  return page.waitForFunction(expression, { timeout: 20_000 }, { timeout: 20_000 });
}
