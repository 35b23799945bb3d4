// axios behind a policy: an adapter around the one that the client has.

import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from "axios";
import { read } from "../classify/facts.js";
import { http } from "../classify/http.js";
import type { Attempt, CallOptions, Signal } from "../types.js";
import { Caller, type ClientOptions, type ClientPolicy, hasIn, sentByHttp } from "./caller.js";
import { refusePeer } from "./peer.js";

declare module "axios" {
  interface AxiosRequestConfig {
    /** Options of this call alone, for a client of `redress/axios`; a deadline in place of a longer one of the policy. */
    redress?: CallOptions | undefined;
  }
}

type Config = InternalAxiosRequestConfig;
type Adapter = Extract<Config["adapter"], (...words: any) => unknown>;

/** The adapters of this module, and what each is around. */
const inner = new WeakMap<object, Config["adapter"]>();

/**
 * Sends the requests of an instance of axios through a policy, and returns the same instance. Interceptors run once for a
 * call, around all of its attempts; errors are those of axios.
 *
 * A status that axios makes an error of is a failure of its class, with its Retry-After. An attempt ends as the promise of
 * axios does: with the body, or with the headers for `responseType: "stream"`. The operation in events is method and host.
 */
export function withPolicy<C extends AxiosInstance>(client: C, policy: ClientPolicy, options: ClientOptions = {}): C {
  const { interceptors, create } = (client ?? {}) as Partial<AxiosInstance>;
  if (typeof interceptors?.request?.use !== "function" || typeof create !== "function")
    refusePeer("axios.client", client, "an instance", "axios", "1.7 and up");
  const caller = new Caller("axios", policy, options);
  // It sends what the client has made ready: without its interceptors, and as it is.
  const same = (data: unknown) => data;
  const bare = client.create();
  for (const name of Object.keys(bare.defaults)) delete bare.defaults[name as keyof typeof bare.defaults];
  const send = (config: Config, adapter: Config["adapter"]) =>
    bare.request<unknown>({ ...config, adapter, transformRequest: [same], transformResponse: [same] } as Config);
  client.interceptors.request.use((config) => {
    const given = config.adapter;
    // A response interceptor may send a config anew.
    const own = typeof given === "function" ? (inner.get(given) ?? given) : given;
    const adapter: Adapter = (ready) => sendAll(ready, (attempted) => send(attempted, own), caller, client);
    inner.set(adapter, own);
    config.adapter = adapter;
    return config;
  });
  return client;
}

async function sendAll(
  config: Config,
  send: (config: Config) => Promise<AxiosResponse>,
  caller: Caller,
  client: AxiosInstance,
): Promise<AxiosResponse> {
  if (read(config, "axios-retry") !== undefined)
    throw new TypeError("redress/axios: axios-retry repeats the requests of this instance, too: leave it out");
  const method = (config.method ?? "get").toUpperCase();
  const { host } = new URL(client.getUri(config), read(read(globalThis, "location"), "href") as string | undefined);
  const plan = caller.plan({
    ...sentByHttp(method, host, config.data, hasIn(config.headers)),
    own: config.redress,
    signal: config.signal as Signal | undefined,
  });
  const attempted = async (attempt: Attempt) => {
    const headers = config.headers.concat(plan.headers(attempt));
    try {
      const response = await send({ ...config, headers, signal: attempt.signal as AbortSignal });
      // As `classify.http` knows a response of another client.
      Object.defineProperty(response, "ok", { value: response.status < 400, configurable: true });
      response.config = config;
      return response;
    } catch (error) {
      throw plan.marked(ofCaller(error, config), http);
    }
  };
  try {
    return await plan.call(attempted);
  } catch (error) {
    // The caller's abort is an error of axios.
    if (config.signal?.aborted && error === read(config.signal, "reason")) return send(config);
    throw error;
  }
}

/** An error of axios with the config that the caller knows. */
function ofCaller(error: unknown, config: Config): unknown {
  const found = error as { config?: Config; response?: { config?: Config } } | null;
  if (found?.config !== undefined) found.config = config;
  if (found?.response?.config !== undefined) found.response.config = config;
  return error;
}
