// The faults of databases, in the SQL of each: a client has to open a session, one connection, and to run a statement in it.

/** Runs `use` with sessions, which are closed after it. */
async function within(open, count, use) {
  const sessions = [];
  try {
    for (let n = 0; n < count; n += 1) sessions.push(await open());
    return await use(...sessions);
  } finally {
    // One whose connection is lost may not be closed.
    await Promise.all(sessions.map((session) => session.end().catch(() => {})));
  }
}

/** The error of the first of these that fails; the others end, too. */
async function loser(...attempts) {
  const results = await Promise.allSettled(attempts);
  const failed = results.find(({ status }) => status === "rejected");
  if (failed === undefined) throw new Error("no attempt has failed");
  throw failed.reason;
}

/** Does something once a statement of the session runs; the outcome is that of the statement. */
async function during(statement, running, act) {
  statement.catch(() => {});
  while (!(await running())) await new Promise((resolve) => setTimeout(resolve, 5));
  await act();
  return statement;
}

/** Sleeps in a session until `act` ends that. */
const sleeping = (open, identify, statement, running, act) =>
  within(open, 1, async (session) => {
    const id = Number((await session.query(identify))[0].id);
    return during(
      session.query(statement),
      () => running(id),
      () => act(id),
    );
  });

/** Two sessions that wait for each other. */
const deadlock = (open) =>
  within(open, 2, async (a, b) => {
    const update = (session, id) => session.query(`update item set n = n + 1 where id = ${id}`);
    for (const [session, id] of [
      [a, 1],
      [b, 2],
    ]) {
      await session.query("begin");
      await update(session, id);
    }
    const cross = (session, id) => update(session, id).finally(() => session.query("rollback"));
    return loser(cross(a, 2), cross(b, 1));
  });

/** The faults of PostgreSQL: the class, and what provokes it. */
export function postgresFaults({ open, openAs, server }) {
  const running = async (id) => {
    const found = await server.admin(`select 1 from pg_stat_activity where pid = ${id} and query like '%pg_sleep%'`);
    return found.rowCount > 0;
  };
  const sleep = (act) => sleeping(open, "select pg_backend_pid() as id", "select pg_sleep(30)", running, act);
  const one = (...statements) => within(open, 1, (session) => inOrder(session, statements));
  const as = (user, password, statement) =>
    within(
      () => openAs(user, password),
      1,
      (session) => session.query(statement),
    );
  const update = (id) => `update item set n = n + 1 where id = ${id}`;
  return {
    "killed in mid-query": ["TRANSIENT", () => sleep((id) => server.admin(`select pg_terminate_backend(${id})`))],
    restarted: ["TRANSIENT", () => sleep(() => server.restart())],
    "out of connections": ["SERVER_ERROR", () => as("limited", "limited", "select 1")],
    deadlock: ["CONCURRENCY", () => deadlock(open)],
    "serialisation failure": [
      "CONCURRENCY",
      () =>
        within(open, 2, async (a, b) => {
          await inOrder(a, ["begin isolation level repeatable read", "select * from item"]);
          await b.query(update(3));
          return a.query(update(3));
        }),
    ],
    "lock time-out": [
      "CONCURRENCY",
      () =>
        within(open, 2, async (a, b) => {
          await inOrder(a, ["begin", update(4)]);
          return inOrder(b, ["set lock_timeout = '20ms'", update(4)]);
        }),
    ],
    "duplicate key": ["PERMANENT", () => one("insert into item (id) values (1)")],
    syntax: ["PERMANENT", () => one("selekt 1")],
    "wrong password": ["AUTH", () => as("admin", "wrong", "select 1")],
    "no permission": ["PERMISSION", () => as("visitor", "visitor", "select * from secret")],
    "statement time-out": ["TRANSIENT", () => one("set statement_timeout = '20ms'", "select pg_sleep(5)")],
  };
}

/** The faults of MariaDB. */
export function mariadbFaults({ open, openAs, server }) {
  const running = async (id) => {
    const of = `from information_schema.processlist where id = ${id} and info like '%sleep%'`;
    const [found] = await server.admin(`select 1 ${of}`);
    return found.length > 0;
  };
  const sleep = (act) => sleeping(open, "select connection_id() as id", "select sleep(30)", running, act);
  const one = (...statements) => within(open, 1, (session) => inOrder(session, statements));
  const as = (user, password, statement) =>
    within(
      () => openAs(user, password),
      1,
      (session) => session.query(statement),
    );
  const update = (id) => `update item set n = n + 1 where id = ${id}`;
  return {
    "killed in mid-query": ["TRANSIENT", () => sleep((id) => server.admin(`kill ${id}`))],
    restarted: ["TRANSIENT", () => sleep(() => server.restart())],
    "out of connections": ["SERVER_ERROR", () => server.crowded(() => as("visitor", "visitor", "select 1"))],
    deadlock: ["CONCURRENCY", () => deadlock(open)],
    "lock time-out": [
      "CONCURRENCY",
      () =>
        within(open, 2, async (a, b) => {
          await inOrder(a, ["begin", update(4)]);
          return b.query(update(4));
        }),
    ],
    "duplicate key": ["PERMANENT", () => one("insert into item (id) values (1)")],
    syntax: ["PERMANENT", () => one("selekt 1")],
    "wrong password": ["AUTH", () => as("admin", "wrong", "select 1")],
    "no permission": ["PERMISSION", () => as("visitor", "visitor", "select * from secret")],
    "statement time-out": ["TRANSIENT", () => one("set max_statement_time = 0.02", "select sleep(5)")],
  };
}

/** The faults of SQLite, in a file that other sessions open, too. */
export function sqliteFaults({ open, openReadOnly, openNoDatabase }) {
  const one = (...statements) => within(open, 1, (session) => inOrder(session, statements));
  return {
    "lock time-out": [
      "CONCURRENCY",
      () =>
        within(open, 2, async (a, b) => {
          await a.query("begin immediate");
          return b.query("insert into item (id) values (9)");
        }),
    ],
    "serialisation failure": [
      "CONCURRENCY",
      () =>
        within(open, 2, async (a, b) => {
          await inOrder(a, ["begin", "select * from item"]);
          await b.query("update item set n = n + 1");
          return a.query("update item set n = n + 1");
        }),
    ],
    "duplicate key": ["PERMANENT", () => one("insert into item (id) values (1)")],
    syntax: ["PERMANENT", () => one("selekt 1")],
    full: ["SERVER_ERROR", () => one("pragma max_page_count = 4", FILL)],
    "read only": ["PERMISSION", () => within(openReadOnly, 1, (session) => session.query("delete from item"))],
    "no database": ["PERMANENT", () => within(openNoDatabase, 1, (session) => session.query("select * from item"))],
  };
}

/** More rows than a few pages hold. */
const FILL = `
  insert into item (id)
  with recursive many (n) as (select 100 union all select n + 1 from many where n < 9000) select n from many
`;

async function inOrder(session, statements) {
  let last;
  for (const statement of statements) last = await session.query(statement);
  return last;
}
