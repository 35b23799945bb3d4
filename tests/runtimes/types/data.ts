// Policies from data are policies, and what is given beside the settings is checked.

import { classify, type KeyedPolicy, type Policy, redressFetch } from "redress";
import { keyedPolicyFrom, policyFrom, type SettingsError } from "redress/config";
import { watch } from "redress/watch";

const settings: unknown = JSON.parse("{}");

export const policy: Policy = policyFrom(settings, {
  classifiers: { http: classify.http },
  clock: () => 0,
  onEvent: ({ event }) => event.length,
});
export const keyed: KeyedPolicy = keyedPolicyFrom(settings, { classifiers: classify });
export const length: Promise<number> = policyFrom(settings).call(() => "text".length);
export const fetches = [redressFetch(keyedPolicyFrom(settings)), redressFetch(policyFrom(settings))];

const watched = watch(policyFrom(settings), []);
watched.update(settings);
watched.prepare(settings).apply();

export const paths = (error: SettingsError): string[] => error.under("upstreams").issues.map(({ path }) => path);

// @ts-expect-error What is decided is in the settings.
policyFrom(settings, { maxAttempts: 3 });
// @ts-expect-error A hook is a function.
policyFrom(settings, { onEvent: "event" });
