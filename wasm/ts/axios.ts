// `redress/axios`: an instance of axios behind a policy.

export { withPolicy } from "./clients/axios.js";
export type { ClientOptions, ClientPolicy } from "./clients/caller.js";
