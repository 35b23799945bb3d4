// Runs the suite in a process: Node, Deno and Bun. Arguments: runtime, base URL, filter.

import { runSuite } from "../suite/index.js";

const [runtime, base, filter = ""] = process.argv.slice(2);
const results = await runSuite({ runtime, base, filter, env: {} });
console.log(`RESULTS ${JSON.stringify(results)}`);
// The process ends by itself: a timer or handle left behind would keep it, and fail the run.
