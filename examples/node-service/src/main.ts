// The service with upstreams of your own: DATABASE_URL, REDIS_URL, PRICES_URL, and OTLP_URL if traces go anywhere.

import { startService } from "./service.js";
import { startTracing } from "./telemetry.js";

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const tracing = startTracing(process.env["OTLP_URL"]);
const addresses = { database: needed("DATABASE_URL"), redis: needed("REDIS_URL"), prices: needed("PRICES_URL") };
const service = await startService(addresses, { port: Number(process.env["PORT"] ?? 3000) });
process.once("SIGTERM", async () => {
  await service.stop();
  await tracing.end();
});
