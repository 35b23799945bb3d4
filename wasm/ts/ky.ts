// `redress/ky`: an instance of ky behind a policy.

export type { ClientOptions, ClientPolicy } from "./clients/caller.js";
export { withPolicy } from "./clients/ky.js";
