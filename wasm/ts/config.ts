// `redress/config`: policies of settings that are read at run time, and changed while calls run.

export {
  type DataOptions,
  type DataPolicy,
  type KeyedDataPolicy,
  keyedPolicyFrom,
  type Prepared,
  policyFrom,
} from "./data/policy.js";
export { SettingsError } from "./data/settings-error.js";
