// Debian's servers on free ports of the loopback, in temporary folders.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server that can be killed, held, and started again on the same port and data. */
export interface Server {
  readonly port: number;
  /** As a crash: connections break at once. */
  kill(): Promise<void>;
  /** Starts it again; resolves once it takes connections. */
  start(): Promise<void>;
  /** It keeps its connections and answers nothing, until it goes on. */
  hold(): void;
  resume(): void;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

export function temporary(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `redress-${name}-`));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A server by its command; `isReady` says whether it answers. */
export async function serve(
  command: string,
  words: string[],
  port: number,
  { crash = "SIGKILL", end = "SIGTERM", isReady = () => takesConnections(port) }: Partial<Way> = {},
): Promise<Server> {
  let child: ChildProcess;
  async function over(signal: NodeJS.Signals): Promise<void> {
    if (!children.has(child)) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }
  async function start(): Promise<void> {
    let printed = "";
    child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"] });
    const own = child;
    children.add(own);
    own.on("exit", () => children.delete(own));
    own.on("error", (error) => {
      printed += error;
      children.delete(own);
    });
    for (const stream of [own.stdout, own.stderr])
      stream?.on("data", (text) => (printed = (printed + text).slice(-2_000)));
    while (!(await isReady())) {
      if (!children.has(own)) throw new Error(`${command} has ended: ${printed}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  await start();
  return {
    port,
    kill: () => over(crash),
    start,
    hold: () => child.kill("SIGSTOP"),
    resume: () => child.kill("SIGCONT"),
    stop: () => over(end),
  };
}

interface Way {
  crash: NodeJS.Signals;
  end: NodeJS.Signals;
  isReady(): Promise<boolean>;
}

/** PostgreSQL, which refuses to run as root. */
export async function startPostgres(): Promise<Server> {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
  const found = versions.at(-1);
  if (found === undefined) throw new Error("PostgreSQL is not installed: apt-get install postgresql");
  const bin = join("/usr/lib/postgresql", found, "bin");
  const folder = temporary("postgres");
  const isRoot = process.getuid?.() === 0;
  const id = isRoot ? Number(execFileSync("id", ["-u", "postgres"], { encoding: "utf8" })) : undefined;
  if (id !== undefined) chownSync(folder, id, id);
  const by = isRoot ? ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] : ["env"];
  const [command, ...as] = by as [string, ...string[]];
  const data = join(folder, "data");
  const init = ["-D", data, "-U", "shop", "--auth=trust", "--no-sync"];
  execFileSync(command, [...as, join(bin, "initdb"), ...init], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const port = await freePort();
  const settings = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-p", String(port), "-k", folder];
  const ready = ["-h", "127.0.0.1", "-p", String(port), "-q"];
  const isReady = async () => {
    try {
      execFileSync(join(bin, "pg_isready"), ready);
      return true;
    } catch {
      return false;
    }
  };
  const way = { crash: "SIGQUIT", end: "SIGINT", isReady } as const;
  const server = await serve(command, [...as, join(bin, "postgres"), "-D", data, ...settings], port, way);
  const sql = "create table product as select id, 'product ' || id as name from generate_series(0, 999) id";
  execFileSync("psql", ["-h", "127.0.0.1", "-p", String(port), "-U", "shop", "-d", "postgres", "-qc", sql]);
  return server;
}

/** Redis with the stock of every product: ten times its id. */
export async function startRedis(): Promise<Server> {
  const port = await freePort();
  const folder = temporary("redis");
  const words = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--save", ""];
  const server = await serve("redis-server", words, port);
  const script = "for id = 0, 999 do redis.call('set', 'stock:' .. id, id * 10) end";
  execFileSync("redis-cli", ["-p", String(port), "eval", script, "0"]);
  return server;
}

/** Prometheus, scraping a service four times a second; undefined where it is not installed. */
export async function startPrometheus(target: string): Promise<Server | undefined> {
  if (!existsSync("/usr/bin/prometheus")) return undefined;
  const port = await freePort();
  const folder = temporary("prometheus");
  const config = {
    global: { scrape_interval: "250ms", scrape_timeout: "250ms" },
    scrape_configs: [{ job_name: "service", static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
  const words = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
  // Once it has scraped, which it begins to do some seconds after it started.
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/api/v1/query?query=up==1`).then(
      async (response) => (await response.text()).includes('"up"'),
      () => false,
    );
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  return serve("prometheus", [...words, listen, "--log.level=error"], port, { isReady });
}
