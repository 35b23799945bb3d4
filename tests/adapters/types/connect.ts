// The interceptor is one of Connect's.

import type { Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Policy } from "redress";
import { interceptor } from "redress/connect";

const one: Interceptor = interceptor(new Policy(), { idempotencyKey: true });
export const transport = createGrpcTransport({ baseUrl: "https://api.example.com", interceptors: [one] });
// @ts-expect-error: no policy.
interceptor({});
