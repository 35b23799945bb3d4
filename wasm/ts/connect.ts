// `redress/connect`: an interceptor for transports of Connect.

export type { ClientPolicy } from "./clients/caller.js";
export { interceptor } from "./clients/connect.js";
export type { GrpcOptions } from "./clients/grpc.js";
