// The instance keeps its type, and a config takes the options of a call.

import axios, { type AxiosInstance, type AxiosResponse, type AxiosStatic } from "axios";
import { Policy } from "redress";
import { withPolicy } from "redress/axios";

interface Item {
  readonly id: number;
}

const client: AxiosInstance = withPolicy(axios.create(), new Policy(), { idempotencyKey: true });
const same: AxiosStatic = withPolicy(axios, new Policy());
const response: AxiosResponse<Item> = await client.get<Item>("/items/7", { redress: { deadlineMs: 500 } });
const id: number = response.data.id;
// @ts-expect-error: no option of a call.
await client.get("/items", { redress: { deadline: 500 } });
// @ts-expect-error: no instance.
withPolicy({}, new Policy());
// @ts-expect-error: no option of a client.
withPolicy(axios.create(), new Policy(), { attempts: 3 });

export { id, same };
