// The page: form, progress, cancel.

import { picture } from "./picture.js";
import { upload } from "./upload.js";

const form = document.querySelector("form");
const progress = document.querySelector("progress");
const status = document.querySelector("[role=status]");
const svg = document.querySelector("svg");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = form.file.files[0];
  const controller = new AbortController();
  const cancel = () => controller.abort(new Error("cancelled"));
  form.cancel.addEventListener("click", cancel);
  form.cancel.disabled = false;
  form.querySelector("[type=submit]").disabled = true;
  svg.replaceChildren();
  progress.value = 0;
  const drawn = picture(svg);
  let sent = 0;
  let attempts = 0;
  const tell = (what) => {
    drawn.tell(what);
    if (what.kind === "start") attempts += 1;
    if (what.result === "sent") sent += 1;
    progress.value = sent / what.count;
    status.textContent = `${sent} of ${what.count} pieces arrived, in ${attempts} attempts`;
  };
  try {
    await upload(file, { signal: controller.signal, tell });
    status.textContent = `Done: ${status.textContent}.`;
  } catch (error) {
    controller.abort(error);
    status.textContent = `Stopped (${error.message}): ${status.textContent}.`;
  } finally {
    form.cancel.removeEventListener("click", cancel);
    form.cancel.disabled = true;
    form.querySelector("[type=submit]").disabled = false;
    drawn.stop();
  }
});
