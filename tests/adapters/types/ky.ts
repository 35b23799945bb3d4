// The instance keeps its type.

import ky, { type KyInstance } from "ky";
import { Policy } from "redress";
import { withPolicy } from "redress/ky";

const client: KyInstance = withPolicy(ky, new Policy());
const item = await client.get("items/7").json<{ readonly id: number }>();
const id: number = item.id;
await client.get("items", { redress: { deadlineMs: 500 } });
// @ts-expect-error: no option of a call.
await client.get("items", { redress: { deadline: 500 } });
// @ts-expect-error: no instance.
withPolicy(fetch, new Policy());

export { id };
