// The upstream of the hundred jobs: what it answers, whose worker it kills, and whether all that was asked is what a policy says.

import { once } from "node:events";
import { createServer } from "node:http";
import { assert } from "./harness.mjs";
import { COUNT, delayAfter, HINT_MS, kindOf } from "./jobs.mjs";

/** How long a worker may take to write down what it was answered, on a busy machine. */
const UNWRITTEN_MS = 5_000;

/**
 * The upstream. `kills` has whose worker a job's attempt kills: `${id}/${attempt}`, once. `onKill` gets the worker's name; the
 * request is answered with the status that it returns, if it does.
 */
export async function startUpstream({ cleanup }, kills = [], onKill = () => {}) {
  const left = new Set(kills);
  const upstream = { requests: [], killed: new Map(), url: "" };
  const server = createServer((request, response) => {
    const of = (name) => request.headers[`x-${name}`];
    const [id, attempt, worker] = [Number(of("job")), Number(of("attempt")), of("worker")];
    const asked = { id, attempt, worker, leftMs: Number(of("left")), at: Date.now() };
    upstream.requests.push(asked);
    if (left.delete(`${id}/${attempt}`)) {
      upstream.killed.set(worker, Date.now());
      const answer = onKill(worker);
      if (answer !== undefined) response.writeHead(answer).end();
      return;
    }
    const status = kindOf(id).says(attempt);
    if (status === "reset") return void response.destroy();
    if (status === 429) response.setHeader("retry-after", HINT_MS / 1_000);
    response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  upstream.url = `http://127.0.0.1:${server.address().port}/`;
  return upstream;
}

/**
 * Whether `ends`, how each job has ended by its number, and what was asked is what the policy says. With `copies` a worker may
 * be killed after it has sent a copy and before it has acknowledged the message: both go on.
 */
export function checkJobs({ requests, killed }, ends, { copies = false } = {}) {
  assert.equal(ends.size, COUNT, `${COUNT - ends.size} jobs are lost`);
  for (let id = 0; id < COUNT; id += 1) {
    const { attempts, end } = kindOf(id);
    assert.equal(ends.get(id), end, `the end of job ${id}`);
    const own = requests.filter((request) => request.id === id);
    const told = `job ${id}: ${own.map(({ attempt, worker, at }) => `${attempt} by ${worker} at ${at - own[0].at}`).join(", ")}`;
    assert.equal(own[0].attempt, 1, told);
    assert.equal(Math.max(...own.map(({ attempt }) => attempt)), attempts, told);
    for (const [at, next] of own.entries()) {
      const before = own.slice(0, at);
      // What a killed worker did not come to write down is done again; nothing else is. A request may arrive after its sender's end.
      const last = before.findLast(({ attempt }) => attempt === next.attempt);
      const isAgain = (one) => killed.get(one.worker) - one.at < UNWRITTEN_MS;
      assert.ok(last === undefined || (copies ? before.some(isAgain) : isAgain(last)), `${told}: made twice`);
      if (next.attempt === 1) continue;
      const delay = delayAfter(id, next.attempt - 1);
      const follows = (one) => {
        const spent = one.leftMs - next.leftMs;
        return (
          one.attempt === next.attempt - 1 && next.at - one.at >= delay - 2 && spent >= delay && spent < delay + 20_000
        );
      };
      assert.ok(before.some(follows), `${told}: attempt ${next.attempt} is not ${delay} ms after one before`);
    }
  }
}
