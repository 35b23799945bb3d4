// `redress/grpc`: an interceptor for clients of @grpc/grpc-js.

export type { ClientPolicy } from "./clients/caller.js";
export { clientOptions, type GrpcOptions, interceptor } from "./clients/grpc.js";
