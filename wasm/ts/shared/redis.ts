// Redis as a store, by a client that the program has: ioredis or node-redis.

import { refuse } from "../config/issues.js";
import { SharedBreaker, type SharedBreakerOptions, SharedBudget, type SharedBudgetOptions } from "./shared.js";
import type { Store } from "./store.js";

/** What is needed of ioredis: a client, or one of a cluster. */
export interface Ioredis {
  /** Runs a script. */
  eval(script: string, keys: number, ...words: string[]): Promise<unknown>;
  /** Runs a script that the server has, by its digest. */
  evalsha(digest: string, keys: number, ...words: string[]): Promise<unknown>;
}

/** What a script of node-redis is given. */
interface Words {
  /** `KEYS` of the script. */
  keys: string[];
  /** `ARGV` of the script. */
  arguments: string[];
}

/** What is needed of node-redis: a client, or one of a cluster. */
export interface NodeRedis {
  /** Runs a script. */
  eval(script: string, words: Words): Promise<unknown>;
  /** Runs a script that the server has, by its digest. */
  evalSha(digest: string, words: Words): Promise<unknown>;
}

const READ = `local stored = redis.call('HMGET', KEYS[1], 'version', 'value')
local time = redis.call('TIME')
return {stored[1] or '', stored[2] or '', time[1], time[2]}`;
const WRITE = `local version = redis.call('HGET', KEYS[1], 'version') or ''
if version == ARGV[2] then return 1 end
if version ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
return 1`;

/** Redis as a store of shared state; the client stays the program's, which closes it. */
export function redisStore(client: Ioredis | NodeRedis): Store {
  const read = script(client, READ);
  const write = script(client, WRITE);
  return {
    async read(key) {
      const [version, value, seconds, micros] = ((await read(key)) as unknown[]).map(String);
      return { version: version!, value: value!, nowUs: Number(seconds) * 1_000_000 + Number(micros) };
    },
    async write(key, version, next, value) {
      return Number(await write(key, version, next, value)) === 1;
    },
  };
}

/** A breaker whose state processes share in Redis. */
export function sharedBreaker(client: Ioredis | NodeRedis, settings: SharedBreakerOptions): SharedBreaker {
  return new SharedBreaker(redisStore(client), settings);
}

/** A budget whose state processes share in Redis. */
export function sharedBudget(client: Ioredis | NodeRedis, settings: SharedBudgetOptions): SharedBudget {
  return new SharedBudget(redisStore(client), settings);
}

/** Runs a script for a key: by its digest, and whole where the server does not have it. */
function script(client: Ioredis | NodeRedis, text: string): (key: string, ...words: string[]) => Promise<unknown> {
  const run = runner(client);
  let digest: Promise<string> | undefined;
  return async (key, ...words) => {
    digest ??= sha1(text);
    try {
      return await run(true, await digest, key, words);
    } catch (error) {
      if (!/^NOSCRIPT/.test(String((error as Partial<Error> | null)?.message))) throw error;
      return run(false, text, key, words);
    }
  };
}

/** Runs a script by its digest, or whole. */
type Run = (isDigest: boolean, script: string, key: string, words: string[]) => Promise<unknown>;

/** The two ways in which clients run scripts. */
function runner(client: Ioredis | NodeRedis): Run {
  // One of node-redis may have both spellings.
  if (typeof (client as Partial<NodeRedis> | null)?.evalSha === "function") {
    const { evalSha, eval: whole } = client as NodeRedis;
    return (isDigest, script, key, words) =>
      (isDigest ? evalSha : whole).call(client, script, { keys: [key], arguments: words });
  }
  if (typeof (client as Partial<Ioredis> | null)?.evalsha === "function") {
    const { evalsha, eval: whole } = client as Ioredis;
    return (isDigest, script, key, words) => (isDigest ? evalsha : whole).call(client, script, 1, key, ...words);
  }
  return refuse("redis.client", client, "a client of ioredis or of node-redis");
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
