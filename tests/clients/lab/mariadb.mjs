// MariaDB in a folder of its own.

import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { execute, freePort, readiness, start, stop, temporary } from "./processes.mjs";

/** What the faults are made of. */
const SCHEMA = [
  "create database lab",
  "create table lab.item (id int primary key, n int not null default 0)",
  "insert into lab.item (id) values (1), (2), (3), (4)",
  "create table lab.secret (id int)",
  "create user admin@'127.0.0.1' identified by 'admin'",
  "grant all on *.* to admin@'127.0.0.1' with grant option",
  "create user crowd@localhost",
  "create user visitor@'127.0.0.1' identified by 'visitor'",
  "grant all on lab.item to visitor@'127.0.0.1'",
];

/** Starts it with the schema; how to connect, and what stops and restarts it. */
export async function startMariadb() {
  const folder = temporary("mariadb");
  const port = await freePort();
  const data = join(folder, "data");
  const socket = join(folder, "socket");
  const [user, group] = ["-u", "-g"].map((flag) => Number(execute("id", [flag, "mysql"])));
  mkdirSync(data);
  for (const path of [folder, data]) chownSync(path, user, group);
  const common = ["--no-defaults", "--user=mysql", `--datadir=${data}`];
  execute("mariadb-install-db", [...common, "--auth-root-authentication-method=normal", "--skip-test-db"]);
  const settings = ["--bind-address=127.0.0.1", `--port=${port}`, `--socket=${socket}`, "--skip-name-resolve"];
  const small = ["--innodb-flush-log-at-trx-commit=0", "--innodb-lock-wait-timeout=1", "--max-connections=40"];
  let child;
  async function run() {
    child = start("/usr/sbin/mariadbd", [...common, ...settings, ...small]);
    await readiness(child, async () => (await mysql.createConnection({ socketPath: socket, user: "root" })).end());
  }
  async function admin(sql) {
    const connection = await mysql.createConnection({ socketPath: socket, user: "root" });
    try {
      return await connection.query(sql);
    } finally {
      await connection.end();
    }
  }
  await run();
  for (const statement of SCHEMA) await admin(statement);
  return {
    address: { host: "127.0.0.1", port, database: "lab", user: "admin", password: "admin" },
    admin,
    async restart() {
      await stop(child, "SIGKILL");
      await run();
    },
    /** Does something while all connections are taken. */
    async crowded(act) {
      const others = [];
      await admin("set global max_connections = 10");
      try {
        for (;;) others.push(await mysql.createConnection({ socketPath: socket, user: "crowd" }));
      } catch (error) {
        if (error.errno !== 1040) throw error;
        return await act();
      } finally {
        await Promise.all(others.map((other) => other.end()));
        await admin("set global max_connections = 40");
      }
    },
    stop: () => stop(child),
  };
}
