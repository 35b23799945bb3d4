// Clients of SQL databases, and what is built on them: for each, how it opens a session.

import Database from "better-sqlite3";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzleSqlite } from "drizzle-orm/better-sqlite3";
import { drizzle as drizzleMysql } from "drizzle-orm/mysql2";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import knex from "knex";
import { Kysely, sql as kyselySql, MysqlDialect, PostgresDialect, SqliteDialect } from "kysely";
import * as mariadb from "mariadb";
import mysql from "mysql2";
import mysqlPromise from "mysql2/promise";
import pg from "pg";
import postgres from "postgres";
import { Sequelize } from "sequelize";
import { DataSource } from "typeorm";
import { mariadbFaults, postgresFaults, sqliteFaults } from "../lab/databases.mjs";
import { startMariadb } from "../lab/mariadb.mjs";
import { startPostgres } from "../lab/postgres.mjs";
import { startSqlite } from "../lab/sqlite.mjs";

/** An event that nothing listens for would end the process; the statement in flight is told the same. */
const quiet = (emitter) => emitter.on("error", () => {});

const sequelize = (dialect) => async (address) => {
  const { host, port, user, password, database } = address;
  const pool = { max: 1 };
  const client = new Sequelize(database, user, password, {
    host,
    port,
    dialect,
    pool,
    logging: false,
    retry: { max: 1 },
  });
  return {
    query: async (text) => (await client.query(text))[0],
    end: () => client.close(),
  };
};

/** Knex prints what it throws. */
const SILENT = { warn() {}, error() {}, deprecate() {}, debug() {} };

const withKnex = (client) => async (connection) => {
  const { filename, timeout } = connection;
  const base = filename === undefined ? connection : { filename, options: { readonly: connection.readonly } };
  const instance = knex({ client, connection: base, pool: { min: 0, max: 1 }, useNullAsDefault: true, log: SILENT });
  // Of SQLite's options it passes on only some.
  if (timeout !== undefined) await instance.raw(`pragma busy_timeout = ${timeout}`).catch(() => {});
  return {
    async query(text) {
      const found = await instance.raw(text);
      return found.rows ?? found[0];
    },
    end: () => instance.destroy(),
  };
};

const typeorm = (type) => async (address) => {
  const { user, filename, timeout, ...rest } = address;
  const options = filename === undefined ? { username: user, poolSize: 1 } : { database: filename, timeout };
  const source = new DataSource({ type, ...rest, ...options });
  await source.initialize();
  const runner = source.createQueryRunner();
  return { query: (text) => runner.query(text), end: async () => source.destroy() };
};

const kysely = (dialectOf) => async (address) => {
  const db = new Kysely({ dialect: dialectOf(address) });
  // One connection, as its pool has one.
  return {
    query: async (text) => (await kyselySql.raw(text).execute(db)).rows,
    end: () => db.destroy(),
  };
};

const withDrizzle = (drizzle, clientOf, end, rowsOf) => async (address) => {
  const client = await clientOf(address);
  const db = drizzle(client);
  return { query: async (text) => rowsOf(await db.execute(drizzleSql.raw(text))), end: () => end(client) };
};

async function pgClient(address) {
  const client = new pg.Client(address);
  quiet(client);
  await client.connect();
  return client;
}

async function mysqlClient(address) {
  const connection = await mysqlPromise.createConnection(address);
  quiet(connection.connection);
  return connection;
}

function sqliteDatabase({ filename, readonly = false, timeout }) {
  return new Database(filename, { readonly, timeout, fileMustExist: readonly });
}

const ON_POSTGRES = {
  pg: async (address) => {
    const client = await pgClient(address);
    return { query: async (text) => (await client.query(text)).rows, end: () => client.end() };
  },
  postgres: async (address) => {
    const { user: username, ...rest } = address;
    const sql = postgres({ ...rest, username, max: 1, onnotice() {} });
    return { query: (text) => sql.unsafe(text), end: () => sql.end({ timeout: 0 }) };
  },
  "sequelize on pg": sequelize("postgres"),
  "drizzle-orm on pg": withDrizzle(
    drizzlePg,
    pgClient,
    (client) => client.end(),
    ({ rows }) => rows,
  ),
  "knex on pg": withKnex("pg"),
  "typeorm on pg": typeorm("postgres"),
  "kysely on pg": kysely((address) => new PostgresDialect({ pool: quiet(new pg.Pool({ ...address, max: 1 })) })),
};

const ON_MARIADB = {
  mysql2: async (address) => {
    const connection = await mysqlClient(address);
    return { query: async (text) => (await connection.query(text))[0], end: () => connection.end() };
  },
  mariadb: async (address) => {
    const connection = quiet(await mariadb.createConnection(address));
    return { query: (text) => connection.query(text), end: () => connection.end() };
  },
  "sequelize on mysql2": sequelize("mysql"),
  "drizzle-orm on mysql2": withDrizzle(
    drizzleMysql,
    mysqlClient,
    (client) => client.end(),
    ([rows]) => rows,
  ),
  "knex on mysql2": withKnex("mysql2"),
  "typeorm on mysql2": typeorm("mysql"),
  "kysely on mysql2": kysely(
    (address) => new MysqlDialect({ pool: mysql.createPool({ ...address, connectionLimit: 1 }) }),
  ),
};

const ON_SQLITE = {
  "better-sqlite3": async (address) => {
    const database = sqliteDatabase(address);
    return { query: async (text) => run(database, text), end: async () => database.close() };
  },
  "drizzle-orm on better-sqlite3": async (address) => {
    const database = sqliteDatabase(address);
    const db = drizzleSqlite(database);
    return {
      query: async (text) => (reads(text) ? db.all(drizzleSql.raw(text)) : db.run(drizzleSql.raw(text))),
      end: async () => database.close(),
    };
  },
  "knex on better-sqlite3": withKnex("better-sqlite3"),
  "typeorm on better-sqlite3": typeorm("better-sqlite3"),
  "kysely on better-sqlite3": kysely((address) => new SqliteDialect({ database: sqliteDatabase(address) })),
};

const reads = (text) => /^\s*(select|pragma)/.test(text);

function run(database, text) {
  const statement = database.prepare(text);
  return statement.reader ? statement.all() : statement.run();
}

/** The rows of each client, by the classifier that its users take. */
function rows(clients, classifier, name, start, faultsOf) {
  const entries = Object.entries(clients).map(([client, connect]) => [
    client,
    async ({ row, shared }) => {
      const server = await shared(name, start);
      const openAs = (user, password) => connect({ ...server.address, user, password });
      const faults = faultsOf({ open: () => connect(server.address), openAs, connect, server });
      for (const [fault, [want, provoke]] of Object.entries(faults))
        await row(client, fault, want, classifier, provoke);
    },
  ]);
  return Object.fromEntries(entries);
}

/** Packages of the system. */
export const needs = ["postgresql-15", "mariadb-server"];

export const clients = {
  ...rows(ON_POSTGRES, "sqlstate", "postgres", startPostgres, postgresFaults),
  ...rows(ON_MARIADB, "mysql", "mariadb", startMariadb, mariadbFaults),
  ...rows(ON_SQLITE, "sqlite", "sqlite", startSqlite, ({ open, connect, server }) =>
    sqliteFaults({
      open,
      openReadOnly: () => connect({ ...server.address, readonly: true }),
      openNoDatabase: () => connect({ ...server.address, filename: server.noDatabase }),
    }),
  ),
};
