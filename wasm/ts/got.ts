// `redress/got`: an instance of got behind a policy.

export type { ClientOptions, ClientPolicy } from "./clients/caller.js";
export { withPolicy } from "./clients/got.js";
