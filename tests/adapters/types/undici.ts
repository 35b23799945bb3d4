// The interceptor is one of undici's.

import { Policy } from "redress";
import { interceptor } from "redress/undici";
import { Agent, type Dispatcher, request } from "undici";

const one: Dispatcher.DispatcherComposeInterceptor = interceptor(new Policy(), { repeatAnyMethod: true });
const dispatcher: Dispatcher = new Agent().compose(one);
const { statusCode }: { statusCode: number } = await request("https://api.example.com", {
  dispatcher,
  redress: { deadlineMs: 500 },
});
// @ts-expect-error: no option of a call.
await request("https://api.example.com", { dispatcher, redress: { deadline: 500 } });
// @ts-expect-error: no option of a client.
interceptor(new Policy(), { repeatAnyMethod: 1 });

export { statusCode };
