// A process with a worker of BullMQ, until it is killed.

import { Worker } from "bullmq";
import { processor } from "redress/bullmq";
import { ask, policyOf } from "./jobs.mjs";

const { name, queue, port, url, options = {} } = JSON.parse(process.argv[2]);
const run = processor(
  ({ data }) => policyOf(data.id),
  ({ data }, attempt) => ask(url, data.id, attempt, name),
  options,
);
const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
// Short, so that the jobs of one that was killed are soon another's; a busy machine renews its locks in time.
const worker = new Worker(queue, run, {
  connection,
  concurrency: 5,
  lockDuration: 5_000,
  stalledInterval: 500,
  maxStalledCount: 100,
});
worker.on("error", (error) => console.error(name, error.message));
await worker.waitUntilReady();
process.on("disconnect", () => process.exit(0));
process.send("ready");
