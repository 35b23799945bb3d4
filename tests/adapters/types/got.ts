// The instance keeps its type.

import got, { type Got } from "got";
import { Policy } from "redress";
import { withPolicy } from "redress/got";

const client: Got = withPolicy(got, new Policy(), { attemptHeader: false });
const extended = withPolicy(got.extend({ responseType: "json" }), new Policy());
const item = await client.get("https://api.example.com").json<{ readonly id: number }>();
const id: number = item.id;
await extended("https://api.example.com", { context: { redress: { deadlineMs: 500 } } });
// @ts-expect-error: no instance.
withPolicy(fetch, new Policy());

export { id };
