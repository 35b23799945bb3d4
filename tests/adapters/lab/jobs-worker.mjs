// A worker of Cloudflare that takes jobs from a queue, and has an invocation end in the middle where its upstream says so.

import { Policy } from "redress";
import { consumer } from "redress/cloudflare";
import { ask, policyOf } from "./jobs.mjs";

/** By this status the upstream ends the invocation that asked. */
const ENDS = 299;

const tell = ({ ENDS: url }, body) => fetch(url, { method: "POST", body: JSON.stringify(body) });

const runs = consumer(
  ({ body }) => policyOf(body.id),
  async ({ body: { id } }, attempt, env) => {
    const status = await ask(env.UPSTREAM, id, attempt, env.invocation);
    if (status === ENDS) return void env.ending.add(id);
    await tell(env, { id, end: "done" });
  },
  {
    queue: ({ JOBS }) => JOBS,
    deadLetter: ({ DEAD }) => DEAD,
    onError: (error) => {
      if (error.message !== "the invocation ends") console.error(error);
    },
  },
);

/** Without a queue for what was stopped. */
const drops = (env) =>
  consumer(new Policy(), ({ body }) => Promise.reject(new Error(body.says)), {
    queue: ({ OTHERS }) => OTHERS,
    deadLetter: null,
    onError: (error, { body }) => tell(env, { body, says: error.message }),
  });

/** A message of an invocation that ends before it can say anything of this one. */
function endingWith(message, ending) {
  const { body } = message;
  return {
    body,
    ack() {
      if (ending.has(body.id)) throw new Error("the invocation ends");
      message.ack();
    },
    retry() {
      if (!ending.has(body.id)) message.retry();
    },
  };
}

export default {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url);
    const bodies = await request.json();
    await env[searchParams.get("queue")].sendBatch(bodies.map((body) => ({ body })));
    return new Response();
  },

  async queue(batch, env) {
    if (batch.queue === "dead") {
      for (const { body } of batch.messages)
        await tell(env, { id: body.id, end: body.redress?.stopReason, dead: body });
    } else if (batch.queue === "others") {
      await drops(env)(batch, env);
    } else {
      const ending = new Set();
      const messages = batch.messages.map((message) => endingWith(message, ending));
      await runs({ messages }, { ...env, invocation: crypto.randomUUID(), ending });
      if (ending.size > 0) throw new Error("the invocation ends");
    }
  },
};
