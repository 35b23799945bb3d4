// A database of SQLite in a folder of its own.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { temporary } from "./processes.mjs";

/** Writes it; how to open it, and a file that is no database. */
export async function startSqlite() {
  const folder = temporary("sqlite");
  const filename = join(folder, "lab.db");
  const database = new Database(filename);
  database.exec("pragma journal_mode = wal");
  database.exec(
    "create table item (id integer primary key, n int not null default 0); insert into item (id) values (1)",
  );
  database.close();
  const noDatabase = join(folder, "no.db");
  writeFileSync(noDatabase, "no database at all, only words ".repeat(40));
  return { address: { filename, timeout: 20 }, noDatabase, async stop() {} };
}
