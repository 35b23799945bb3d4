//! redis.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult, Script, Value};
use redress_tokio::classify;

use super::{NO_HOST, SHORT};
use crate::Failure;
use crate::rows::{
    AUTH, CONCURRENCY, PERMANENT, PERMISSION, Rows, SERVER_ERROR, TRANSIENT, UNKNOWN, Want,
};
use crate::servers::Folder;
use crate::servers::redis::{Redis, words};
use crate::servers::sockets::{Answer, Refusing, Socket};

const NAME: &str = "redis";

pub(crate) async fn rows(rows: &mut Rows, folder: &Folder) -> Result<(), Failure> {
    sockets(rows).await?;
    let mut plain = Redis::start(folder, "redis", &[]).await?;
    commands(rows, &plain).await?;
    states(rows, &plain).await?;
    pipelines(rows, &plain).await?;
    logins(rows, folder).await?;
    replica(rows, &plain, folder).await?;
    cluster(rows, folder).await?;
    loading(rows, folder).await?;
    ends(rows, &mut plain).await
}

/// A row for what a command returned.
fn row(rows: &mut Rows, fault: &str, want: Want, result: RedisResult<Value>) {
    rows.error(NAME, fault, want, result, classify::redis);
}

async fn connect(url: String) -> RedisResult<MultiplexedConnection> {
    let limits = AsyncConnectionConfig::new().set_connection_timeout(Some(SHORT * 4));
    let limits = limits.set_response_timeout(Some(SHORT));
    Client::open(url)?.get_multiplexed_async_connection_with_config(&limits).await
}

async fn sockets(rows: &mut Rows) -> Result<(), Failure> {
    let mut connected = async |fault: &str, want, url: String| {
        rows.error(NAME, fault, want, connect(url).await.map(drop), classify::redis);
    };
    let refusing = Refusing::new()?;
    connected("refused", TRANSIENT, format!("redis://{}", refusing.address)).await;
    connected("DNS: no such name", TRANSIENT, format!("redis://{NO_HOST}")).await;
    connected("settings that cannot be read", PERMANENT, "redis://localhost/first".into()).await;
    connected("no scheme of Redis", PERMANENT, "mongodb://localhost".into()).await;
    connected("no such socket", PERMANENT, "unix:///missing/redis.sock".into()).await;
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    // As Redis does. The client waits for the replies to all its first commands, and does not look
    // at the only one that comes.
    let full = b"-ERR max number of clients reached\r\n".to_vec();
    for (fault, want, answer) in [
        ("hang in the handshake", TRANSIENT, Answer::Hang),
        ("reset in the handshake", TRANSIENT, Answer::Reset),
        ("closed in the handshake", TRANSIENT, Answer::Close),
        ("too many connections", TRANSIENT, Answer::Bytes(full)),
        ("no Redis", PERMANENT, Answer::BytesAndHang(http)),
    ] {
        let socket = Socket::start(answer).await?;
        connected(fault, want, format!("redis://{}", socket.address)).await;
    }
    Ok(())
}

async fn commands(rows: &mut Rows, server: &Redis) -> Result<(), Failure> {
    server.run::<Value>("SET text word").await?;
    server.run::<Value>("RPUSH list 1").await?;
    server.run::<Value>("XGROUP CREATE stream group $ MKSTREAM").await?;
    for (fault, command) in [
        ("unknown command", "MISSING"),
        ("wrong number of arguments", "GET"),
        ("syntax error", "SET text word WHEN"),
        ("WRONGTYPE", "GET list"),
        ("NOSCRIPT", "EVALSHA ffffffffffffffffffffffffffffffffffffffff 0"),
        ("BUSYGROUP", "XGROUP CREATE stream group $"),
        ("NOGROUP", "XREADGROUP GROUP missing me STREAMS stream >"),
    ] {
        row(rows, fault, PERMANENT, server.run(command).await);
    }
    let number = server.run::<i64>("GET text").await.map(Value::Int);
    row(rows, "reply of another type", PERMANENT, number);
    Ok(())
}

async fn states(rows: &mut Rows, server: &Redis) -> Result<(), Failure> {
    server.run::<Value>("CONFIG SET maxmemory 1").await?;
    row(rows, "OOM", SERVER_ERROR, server.run("SET key value").await);
    row(
        rows,
        "OOM in a script",
        SERVER_ERROR,
        script(server, "return redis.call('set', 'a', 'b')").await,
    );
    server.run::<Value>("CONFIG SET maxmemory 0").await?;
    server.run::<Value>("CONFIG SET min-replicas-to-write 1").await?;
    row(rows, "NOREPLICAS", TRANSIENT, server.run("SET key value").await);
    server.run::<Value>("CONFIG SET min-replicas-to-write 0").await?;
    misconf(rows, server).await?;
    busy(rows, server).await?;
    let mut slow = connect(server.url("")).await?;
    let late = words("BLPOP nothing 0").query_async(&mut slow).await;
    row(rows, "hang, with the client's time-out", TRANSIENT, late);
    Ok(())
}

async fn script(server: &Redis, text: &str) -> RedisResult<Value> {
    Script::new(text).invoke_async(&mut server.connect("").await?).await
}

/// It cannot save what it has.
async fn misconf(rows: &mut Rows, server: &Redis) -> Result<(), Failure> {
    // A folder is where the file would be.
    std::fs::create_dir(server.folder().join("taken"))?;
    server.run::<Value>("CONFIG SET dbfilename taken").await?;
    words("CONFIG SET save")
        .arg("3600 1000")
        .query_async::<Value>(&mut server.connect("").await?)
        .await?;
    let _ = server.run::<Value>("BGSAVE").await;
    server.says("INFO persistence", "rdb_last_bgsave_status:err").await?;
    row(rows, "MISCONF", SERVER_ERROR, server.run("SET key value").await);
    server.run::<Value>("CONFIG SET dbfilename dump.rdb").await?;
    words("CONFIG SET save").arg("").query_async::<Value>(&mut server.connect("").await?).await?;
    Ok(())
}

/// A script runs for longer than it should.
async fn busy(rows: &mut Rows, server: &Redis) -> Result<(), Failure> {
    server.run::<Value>("CONFIG SET busy-reply-threshold 1").await?;
    let mut other = server.connect("").await?;
    let killed = async {
        let busy = loop {
            match words("GET text").query_async::<Value>(&mut other).await {
                Err(busy) => break busy,
                Ok(_) => tokio::task::yield_now().await,
            }
        };
        words("SCRIPT KILL").query_async::<Value>(&mut other).await?;
        Ok::<_, RedisError>(busy)
    };
    let (_, busy) = tokio::join!(script(server, "while true do end"), killed);
    row(rows, "BUSY", TRANSIENT, Err(busy?));
    Ok(())
}

async fn pipelines(rows: &mut Rows, server: &Redis) -> Result<(), Failure> {
    let mut connection = server.connect("").await?;
    let mut pipe = redis::pipe();
    pipe.cmd("SET").arg("a").arg(1).cmd("GET").arg("list");
    let wrong = pipe.query_async(&mut connection).await;
    row(rows, "pipeline: WRONGTYPE", PERMANENT, wrong);
    let mut atomic = redis::pipe();
    atomic.atomic().cmd("SET").arg("a").arg(1).cmd("GET").arg("list");
    row(rows, "transaction: WRONGTYPE", PERMANENT, atomic.query_async(&mut connection).await);
    server.run::<Value>("CONFIG SET maxmemory 1").await?;
    let mut atomic = redis::pipe();
    atomic.atomic().cmd("SET").arg("a").arg(1);
    let full = atomic.query_async(&mut connection).await;
    row(rows, "EXECABORT after OOM", SERVER_ERROR, full);
    let mut pipe = redis::pipe();
    pipe.cmd("GET").arg("a").cmd("SET").arg("a").arg(1);
    row(rows, "pipeline: OOM", SERVER_ERROR, pipe.query_async(&mut connection).await);
    server.run::<Value>("CONFIG SET maxmemory 0").await?;
    let mut atomic = redis::pipe();
    atomic.atomic().cmd("MISSING");
    let aborted = atomic.query_async(&mut connection).await;
    row(rows, "EXECABORT after an unknown command", PERMANENT, aborted);
    Ok(())
}

async fn logins(rows: &mut Rows, folder: &Folder) -> Result<(), Failure> {
    let guarded = Redis::start(folder, "redis-guarded", &["--requirepass", "secret"]).await?;
    let mut admin = guarded.connect(":secret@").await?;
    let visitor = "ACL SETUSER visitor on >visitor ~own* +@connection +get +set";
    words(visitor).query_async::<Value>(&mut admin).await?;
    row(rows, "NOAUTH", AUTH, guarded.run("GET text").await);
    for (fault, login) in [("wrong password", ":wrong@"), ("wrong user", "missing:wrong@")] {
        let opened = guarded.connect(login).await.map(|_| Value::Nil);
        row(rows, fault, AUTH, opened);
    }
    let resp3 = format!("{}/?protocol=resp3", guarded.url(":wrong@"));
    row(rows, "wrong password, by RESP3", AUTH, connect(resp3).await.map(|_| Value::Nil));
    let mut connection = guarded.connect("visitor:visitor@").await?;
    for (fault, command) in [("NOPERM, a command", "FLUSHALL"), ("NOPERM, a key", "GET other")] {
        let denied = words(command).query_async(&mut connection).await;
        row(rows, fault, PERMISSION, denied);
    }
    let database = connect(format!("{}/99", guarded.url(":secret@"))).await;
    // The table does not have `ERR DB index is out of range`.
    row(rows, "no such database", UNKNOWN, database.map(|_| Value::Nil));
    Ok(())
}

async fn replica(rows: &mut Rows, primary: &Redis, folder: &Folder) -> Result<(), Failure> {
    let port = primary.port.to_string();
    let of_primary = ["--replicaof", "127.0.0.1", &port];
    let replica = Redis::start(folder, "redis-replica", &of_primary).await?;
    replica.says("INFO replication", "master_link_status:up").await?;
    row(rows, "READONLY", CONCURRENCY, replica.run("SET key value").await);
    let refusing = Refusing::new()?;
    replica.run::<Value>("CONFIG SET replica-serve-stale-data no").await?;
    replica.run::<Value>(&format!("REPLICAOF 127.0.0.1 {}", refusing.address.port())).await?;
    row(rows, "MASTERDOWN", TRANSIENT, replica.run("GET key").await);
    Ok(())
}

async fn cluster(rows: &mut Rows, folder: &Folder) -> Result<(), Failure> {
    let (first, _) = Redis::node(folder, "redis-first").await?;
    let (second, bus) = Redis::node(folder, "redis-second").await?;
    row(rows, "CLUSTERDOWN", TRANSIENT, first.run("GET key").await);
    first.run::<Value>("CLUSTER ADDSLOTSRANGE 0 8191").await?;
    second.run::<Value>("CLUSTER ADDSLOTSRANGE 8192 16383").await?;
    let meet = format!("CLUSTER MEET 127.0.0.1 {} {bus}", second.port);
    first.run::<Value>(&meet).await?;
    first.says("CLUSTER INFO", "cluster_state:ok").await?;
    second.says("CLUSTER INFO", "cluster_state:ok").await?;
    // The slot of `foo` is 12182, that of `bar` 5061.
    row(rows, "MOVED", PERMANENT, first.run("GET foo").await);
    row(rows, "CROSSSLOT", PERMANENT, first.run("MGET foo bar").await);
    let id: String = second.run("CLUSTER MYID").await?;
    first.run::<Value>("SET {bar}1 value").await?;
    first.run::<Value>(&format!("CLUSTER SETSLOT 5061 MIGRATING {id}")).await?;
    row(rows, "ASK", PERMANENT, first.run("GET {bar}2").await);
    row(rows, "TRYAGAIN", CONCURRENCY, first.run("MGET {bar}1 {bar}2").await);
    Ok(())
}

/// It takes long to load its keys, and answers meanwhile.
async fn loading(rows: &mut Rows, folder: &Folder) -> Result<(), Failure> {
    let mut server = Redis::start(folder, "redis-loading", &[]).await?;
    server.run::<Value>("DEBUG POPULATE 2000").await?;
    server.run::<Value>("SAVE").await?;
    server
        .restart(&["--key-load-delay", "15000", "--loading-process-events-interval-bytes", "1024"])
        .await?;
    row(rows, "LOADING", TRANSIENT, server.run("GET key").await);
    Ok(())
}

async fn ends(rows: &mut Rows, server: &mut Redis) -> Result<(), Failure> {
    let mut connection = server.connect("").await?;
    let mut waiting = connection.clone();
    let waits =
        tokio::spawn(async move { words("BLPOP nothing 0").query_async(&mut waiting).await });
    server.says("CLIENT LIST", "cmd=blpop").await?;
    server.run::<Value>("CLIENT KILL TYPE normal SKIPME yes").await?;
    row(rows, "connection that the administrator ends", TRANSIENT, waits.await?);
    let next = words("GET text").query_async(&mut connection).await;
    row(rows, "command after that", TRANSIENT, next);
    let mut connection = server.connect("").await?;
    let mut waiting = connection.clone();
    let waits =
        tokio::spawn(async move { words("BLPOP nothing 0").query_async(&mut waiting).await });
    server.says("CLIENT LIST", "cmd=blpop").await?;
    server.kill();
    row(rows, "server killed in a command", TRANSIENT, waits.await?);
    let next = words("GET text").query_async(&mut connection).await;
    row(rows, "command after the server's end", TRANSIENT, next);
    server.restart(&[]).await?;
    let next = words("GET text").query_async(&mut connection).await;
    row(rows, "old connection after a restart", TRANSIENT, next);
    Ok(())
}
