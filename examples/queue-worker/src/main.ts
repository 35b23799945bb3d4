// A worker with a Redis and a service of your own: REDIS_URL and SERVICE_URL.

import { startWorker } from "./worker.js";

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const stops = new AbortController();
const worker = await startWorker({
  redis: needed("REDIS_URL"),
  service: needed("SERVICE_URL"),
  stops: stops.signal,
});
process.send?.("ready");
process.once("SIGTERM", async () => {
  // Jobs under way have three seconds; then they are the queue's again, with the attempts that they had.
  const late = setTimeout(() => stops.abort(new Error("the worker ends")), 3_000);
  await worker.close();
  clearTimeout(late);
  process.exit(0);
});
