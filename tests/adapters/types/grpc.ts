// The options are those of a client, and the interceptor one of grpc-js.

import { Client, type ClientOptions, credentials, type Interceptor } from "@grpc/grpc-js";
import { Policy } from "redress";
import { clientOptions, interceptor } from "redress/grpc";

const one: Interceptor = interceptor(new Policy(), { sendOnce: (method) => method === "pay.Payments/Charge" });
const options: ClientOptions = clientOptions(new Policy());
export const client = new Client("localhost:1", credentials.createInsecure(), { ...options, interceptors: [one] });
// @ts-expect-error: statuses say what is repeated, and not methods of HTTP.
interceptor(new Policy(), { repeatAnyMethod: true });
