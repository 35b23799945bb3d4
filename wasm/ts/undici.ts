// `redress/undici`: an interceptor for undici's dispatchers.

export type { ClientOptions, ClientPolicy } from "./clients/caller.js";
export { interceptor } from "./clients/undici.js";
