// PostgreSQL in a folder of its own, as its user: it refuses root's.

import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { execute, freePort, readiness, start, stop, temporary } from "./processes.mjs";

const BIN = "/usr/lib/postgresql/15/bin";
const AS = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"];

/** What the faults are made of. */
const SCHEMA = `
  create table item (id int primary key, n int not null default 0);
  insert into item select generate_series(1, 4);
  create table secret (id int);
  create role visitor login password 'visitor';
  create role limited login password 'limited' connection limit 0;
  grant all on item to visitor;
`;

/** Starts it with the schema, which `admin` owns; how to connect, and what stops and restarts it. */
export async function startPostgres() {
  const folder = temporary("postgres");
  const port = await freePort();
  const data = join(folder, "data");
  const password = join(folder, "password");
  const own = Number(execute("id", ["-u", "postgres"]));
  mkdirSync(data);
  writeFileSync(password, "admin");
  for (const path of [folder, data, password]) chownSync(path, own, own);
  const init = ["-D", data, "-U", "admin", "--auth=scram-sha-256", `--pwfile=${password}`, "--no-sync"];
  execute("setpriv", [...AS, join(BIN, "initdb"), ...init], { cwd: folder });
  const settings = { fsync: "off", deadlock_timeout: "50ms", listen_addresses: "127.0.0.1", max_connections: 40 };
  const words = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
  const address = { host: "127.0.0.1", port, database: "postgres", user: "admin", password: "admin" };
  const ready = async () => {
    const client = new pg.Client(address);
    client.on("error", () => {});
    await client.connect();
    await client.end();
  };
  let child;
  async function run() {
    child = start("setpriv", [...AS, join(BIN, "postgres"), "-D", data, "-p", port, "-k", folder, ...words], {
      cwd: folder,
    });
    await readiness(child, ready);
  }
  async function admin(sql) {
    const client = new pg.Client(address);
    client.on("error", () => {});
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  }
  await run();
  await admin(SCHEMA);
  return {
    address,
    admin,
    /** As after a crash: connections are closed at once. */
    async restart() {
      await stop(child, "SIGQUIT");
      await run();
    },
    stop: () => stop(child, "SIGINT"),
  };
}
