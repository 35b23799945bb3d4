// Middleware, error middleware and routes are Express' own.

import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import { type CallOptions, Policy } from "redress";
import { callOptions, drain, failures, health, requests } from "redress/express";

const policy = new Policy();
const upstreams = { policy };
const before: RequestHandler = requests({ atMostMs: 5_000 });
const after: ErrorRequestHandler = failures();
const app = express();
app.use(before);
app.get("/product/:id", async (req, res) => {
  const options: CallOptions = callOptions(req, policy);
  res.json(await policy.call(() => req.params.id, options));
});
app.get("/health", health(upstreams));
app.use(after);
const stopped: Promise<void> = drain(app.listen(0), upstreams);
// @ts-expect-error: no policy.
health({ policy: {} });

export { stopped };
