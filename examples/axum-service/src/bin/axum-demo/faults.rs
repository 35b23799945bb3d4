//! What goes wrong, one after another, and what must hold of the service meanwhile.

use std::time::{Duration, Instant};

use redress_hosts::Failure;
use redress_hosts::servers::grpc::Grpc;
use redress_hosts::servers::reached;
use redress_hosts::servers::sockets::{Answer as Socket, http};

use crate::load::{Answer, DEADLINE, MARGIN};
use crate::report::{Calls, Report, phase, statuses};
use crate::stage::{Stage, price};

pub(crate) async fn all(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    healthy(stage, report).await?;
    redis_dies(stage, report).await?;
    postgres_restarts(stage, report).await?;
    connection_lost_in_the_insert(stage, report).await?;
    prices_hang(stage, report).await?;
    prices_say_later(stage, report).await?;
    prices_reset(stage, report).await?;
    stock_dies(stage, report).await?;
    client_leaves(stage, report).await?;
    deadlines(stage, report).await?;
    settings(stage, report).await?;
    scraped(stage, report).await;
    termination(stage, report).await?;
    every_order_once(stage, report).await
}

/// Whether this comes true within ten seconds.
async fn soon(holds: impl AsyncFnMut() -> bool) -> bool {
    let wait = reached("a state of the service", holds);
    matches!(tokio::time::timeout(Duration::from_secs(10), wait).await, Ok(Ok(())))
}

fn all_are(answers: &[Answer], statuses: &[u16]) -> bool {
    answers.iter().all(|answer| answer.status.is_some_and(|one| statuses.contains(&one)))
}

/// What must hold whatever fails; the calls of the phase.
fn ended(stage: &mut Stage, report: &mut Report, answers: &[Answer]) -> Calls {
    let calls = stage.calls();
    println!("  {}\n  {}", statuses(answers), calls.text());
    let is_in_time = answers.iter().all(|answer| answer.elapsed <= DEADLINE + MARGIN);
    report.check("no answer came later than its deadline", is_in_time);
    report.check("each answer is 200, 201, 502, 503 or 504", {
        all_are(answers, &[200, 201, 502, 503, 504])
    });
    let says_when = |answer: &Answer| answer.status != Some(503) || answer.has_retry_after;
    report.check("each 503 has a Retry-After", answers.iter().all(says_when));
    calls
}

/// Orders, and reads the order, until both succeed and every breaker is closed.
async fn recovers(stage: &mut Stage, report: &mut Report) {
    let load = stage.load.clone();
    let has_recovered = soon(async || {
        let (_, ordered) = load.order(2, true).await;
        let Some((id, _)) = load.acknowledged().pop() else { return false };
        let read = load.read(id).await;
        let ready = load.send(load.get("/readyz")).await.body;
        ordered.status == Some(201) && read.status == Some(200) && !ready.contains("open")
    });
    report.check("it recovers, and every breaker is closed", has_recovered.await);
    let _ = stage.calls();
}

async fn healthy(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("all is well");
    let load = stage.load.clone();
    let ((), answers) = load.during(stage.phase, async {}).await;
    ended(stage, report, &answers);
    report.check("every request succeeds", all_are(&answers, &[200, 201]));
    let alive = load.send(load.get("/healthz")).await;
    let ready = load.send(load.get("/readyz")).await;
    report.check("/healthz and /readyz say 200", all_are(&[alive, ready.clone()], &[200]));
    println!("  {}", ready.body.trim_end().replace('\n', ", "));
    let named = ready.body.lines().filter(|line| line.ends_with(" closed")).count();
    report.check("/readyz names four breakers, all closed", named == 4);
    Ok(())
}

async fn redis_dies(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("Redis dies, and is started again");
    let load = stage.load.clone();
    let (opened, answers) = load
        .during(stage.phase, async {
            stage.redis.kill();
            soon(async || stage.log().contains("circuit_opened")).await
        })
        .await;
    ended(stage, report, &answers);
    report.check("the cache's breaker opens", opened);
    report.check("every request succeeds without the cache", all_are(&answers, &[200, 201]));
    stage.redis.restart(&[]).await?;
    recovers(stage, report).await;
    Ok(())
}

async fn postgres_restarts(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    const SLEEP: &str = "
        create function rest() returns trigger language plpgsql
            as 'begin perform pg_sleep(60); return new; end';
        create trigger rest before insert on orders for each row when (new.quantity = 7)
            execute function rest()";
    const WAKE: &str = "
        create or replace function rest() returns trigger language plpgsql
            as 'begin return new; end'";
    const ASLEEP: &str = "select 1 from pg_stat_activity where wait_event = 'PgSleep'";
    phase("PostgreSQL is restarted in the middle of an INSERT");
    stage.postgres.admin(SLEEP).await?;
    let load = stage.load.clone();
    let postgres = &mut stage.postgres;
    let restart = async {
        reached("an INSERT that sleeps", async || {
            matches!(postgres.admin(ASLEEP).await, Ok(Some(_)))
        })
        .await?;
        // The statement that runs sleeps on; the next one does not.
        postgres.admin(WAKE).await?;
        postgres.restart().await
    };
    let broken = Box::pin(async { tokio::join!(load.order(7, true), restart) });
    let (((item, answer), restarted), answers) = load.during(stage.phase, broken).await;
    restarted?;
    ended(stage, report, &answers);
    let in_table = rows(stage, &item).await?;
    println!("  the order in the middle: {} in {} ms", answer.word(), answer.elapsed.as_millis());
    report.check("the order with a key is made", answer.status == Some(201));
    report.check("it is in the table once", in_table == 1);
    recovers(stage, report).await;
    stage.postgres.admin("drop trigger rest on orders; drop function rest").await?;
    Ok(())
}

/// How often this item is in the table.
async fn rows(stage: &Stage, item: &str) -> Result<u32, Failure> {
    let sql = format!("select count(*) from orders where item = '{item}'");
    let count = stage.postgres.admin(&sql).await?;
    Ok(count.unwrap_or_default().parse()?)
}

/// Each first attempt loses its connection.
async fn connection_lost_in_the_insert(
    stage: &mut Stage,
    report: &mut Report,
) -> Result<(), Failure> {
    const LOSE: &str = "
        create sequence inserts;
        create function lose() returns trigger language plpgsql as 'begin
            if nextval(''inserts'') in (1, 3) then
                perform pg_terminate_backend(pg_backend_pid());
                perform pg_sleep(60);
            end if;
            return new;
        end';
        create trigger lose before insert on orders for each row execute function lose()";
    phase("the connection is lost in an INSERT, with a key and without");
    stage.postgres.admin(LOSE).await?;
    let load = stage.load.clone();
    let mut of = async |has_key| {
        let (item, answer) = load.order(2, has_key).await;
        let (calls, count) = (stage.calls_of("orders"), rows(stage, &item).await?);
        let _ = stage.calls();
        println!("  {}, {count} in the table; {}", answer.word(), calls.text());
        Ok::<_, Failure>((answer.status, count, calls.count("retry")))
    };
    let with_key = of(true).await?;
    let without = of(false).await?;
    report.check("with a key it is sent twice, and made once", with_key == (Some(201), 1, 1));
    report.check("without one it is sent once, and not made", without == (Some(502), 0, 0));
    stage.postgres.admin("drop trigger lose on orders; drop function lose").await?;
    recovers(stage, report).await;
    Ok(())
}

async fn prices_hang(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("the service of prices hangs");
    let load = stage.load.clone();
    let ((rejected, scraped), answers) = load
        .during(stage.phase, async {
            stage.prices.set(Socket::Hang);
            let rejected = soon(async || stage.log().contains("circuit_rejected")).await;
            let scraped =
                stage.prometheus.is_some() && soon(async || state(stage).await == Some(2.0)).await;
            (rejected, scraped)
        })
        .await;
    let calls = ended(stage, report, &answers);
    report.check(
        "the breaker opens and rejects calls",
        rejected && calls.count("circuit_opened") > 0,
    );
    if stage.prometheus.is_some() {
        report.check("Prometheus has scraped that it is open", scraped);
    }
    stage.prices.set(price());
    recovers(stage, report).await;
    if stage.prometheus.is_some() {
        let closed = soon(async || state(stage).await == Some(0.0)).await;
        report.check("Prometheus has scraped that it is closed", closed);
    }
    Ok(())
}

/// The state of the breaker of prices as Prometheus has it: 0 closed, 2 open.
async fn state(stage: &Stage) -> Option<f64> {
    let prometheus = stage.prometheus.as_ref()?;
    prometheus.value("max(redress_circuit_state{upstream='prices'})").await
}

async fn prices_say_later(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("the service of prices answers 503 with Retry-After: 1");
    let load = stage.load.clone();
    let (retried, answers) = load
        .during(stage.phase, async {
            stage.prices.set(http(503, "retry-after: 1\r\n", ""));
            soon(async || stage.log().contains(" retry attempt=")).await
        })
        .await;
    let calls = stage.calls_of("prices");
    ended(stage, report, &answers);
    println!("  delays in ms: {:?}", calls.delays_ms);
    let obeys = calls.delays_ms.iter().all(|delay| *delay >= 1_000);
    report.check("each retry waits for the second that it was told", retried && obeys);
    stage.prices.set(price());
    recovers(stage, report).await;
    Ok(())
}

async fn prices_reset(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("the service of prices resets its connections");
    let load = stage.load.clone();
    let (rejected, answers) = load
        .during(stage.phase, async {
            stage.prices.set(Socket::Reset);
            soon(async || stage.log().contains("circuit_rejected")).await
        })
        .await;
    let calls = ended(stage, report, &answers);
    report.check("calls are retried, then rejected", rejected && calls.count("retry") > 0);
    stage.prices.set(price());
    recovers(stage, report).await;
    Ok(())
}

async fn stock_dies(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("the gRPC server dies, and is started again");
    let Some(stock) = stage.stock.take() else { return Err("there is no gRPC server".into()) };
    let (load, address) = (stage.load.clone(), stock.address);
    let (rejected, answers) = load
        .during(stage.phase, async {
            drop(stock);
            soon(async || stage.log().contains("circuit_rejected")).await
        })
        .await;
    ended(stage, report, &answers);
    report.check("its breaker opens and rejects calls", rejected);
    let reads = answers.iter().filter(|answer| answer.status == Some(200)).count();
    report.check("orders are read all the same", reads > 0);
    stage.stock = Some(Grpc::start_at(address).await?);
    recovers(stage, report).await;
    Ok(())
}

/// An order that was just made, so that its price is not in the cache.
async fn fresh(stage: &Stage) -> Result<i64, Failure> {
    let (_, answer) = stage.load.order(2, true).await;
    let id = stage.load.acknowledged().pop().filter(|_| answer.status == Some(201));
    id.map(|(id, _)| id).ok_or_else(|| format!("an order is not made: {answer:?}").into())
}

async fn client_leaves(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("a client goes away while the service of prices hangs");
    let (load, id) = (stage.load.clone(), fresh(stage).await?);
    stage.prices.set(Socket::Hang);
    let _ = stage.calls();
    let before = stage.prices.connections();
    let arrived = tokio::select! {
        _ = load.read(id) => false,
        arrived = soon(async || stage.prices.connections() > before) => arrived,
    };
    let aborted = soon(async || stage.log().contains(" aborted ")).await;
    let calls = stage.calls();
    println!("  {}", calls.text());
    report.check("its call is aborted", arrived && aborted);
    report.check("after one attempt", stage.prices.connections() == before + 1);
    let ready = load.send(load.get("/readyz")).await.body;
    report.check("the breaker counts nothing", !ready.contains("open"));
    Ok(())
}

async fn deadlines(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("deadlines of requests, while the service of prices hangs");
    let load = stage.load.clone();
    stage.prices.set(price());
    let id = fresh(stage).await?;
    stage.prices.set(Socket::Hang);
    let path = format!("/orders/{id}");
    let wrong = load.send(load.get(&path).header("x-request-deadline", "soon")).await;
    println!("  soon: {} {}", wrong.word(), wrong.body);
    let says = wrong.body.contains("x-request-deadline") && wrong.body.contains("milliseconds");
    report.check("nonsense is 400, with what is right", wrong.status == Some(400) && says);
    let short = load.send(load.get(&path).header("x-request-deadline", "150")).await;
    println!("  150: {} {} in {} ms", short.word(), short.body, short.elapsed.as_millis());
    let in_time = short.elapsed <= Duration::from_millis(150) + MARGIN;
    report.check("150 ms end in 504 in time", short.status == Some(504) && in_time);
    let forwarded = stage.prices.latest().to_ascii_lowercase();
    let line = forwarded.lines().find(|line| line.starts_with("x-request-deadline")).unwrap_or("");
    println!("  sent to the service of prices: {line}");
    let left = line.rsplit(' ').next().and_then(|left| left.parse::<u64>().ok());
    report.check("what is left of them is sent on", left.is_some_and(|left| left <= 150));
    stage.prices.set(price());
    recovers(stage, report).await;
    Ok(())
}

async fn settings(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    phase("settings that are wrong, and right, at SIGHUP");
    let load = stage.load.clone();
    stage.reload(&stage.with_attempts(0))?;
    let refused = soon(async || stage.log().contains("the settings stay")).await;
    let log = stage.log();
    let line = log.lines().find(|line| line.contains("the settings stay")).unwrap_or_default();
    println!("  {}", line.rsplit("signals: ").next().unwrap_or(line));
    let says =
        "upstreams.prices.retry.maxAttempts: 0 is out of range: a whole number of at least 1";
    report.check("they are refused by path, value and range", refused && line.contains(says));
    let read = load.read(fresh(stage).await?).await;
    report.check("the service goes on with the old ones", read.status == Some(200));
    stage.reload(&stage.with_attempts(1))?;
    let updated = soon(async || stage.log().contains("new settings")).await;
    let id = fresh(stage).await?;
    stage.prices.set(http(500, "", ""));
    let before = stage.prices.connections();
    let failed = load.read(id).await;
    let attempts = stage.prices.connections() - before;
    println!("  maxAttempts = 1: attempts {attempts}, {}", failed.word());
    let obeys = updated && failed.status == Some(502) && attempts == 1;
    report.check("new ones hold for the next call", obeys);
    stage.prices.set(price());
    let _ = stage.calls();
    stage.reload(&stage.settings)?;
    report.check("and the first ones again", {
        soon(async || stage.log().contains("new settings")).await
    });
    recovers(stage, report).await;
    Ok(())
}

async fn every_order_once(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    const TWICE: &str = "select count(*) from (
        select item from orders group by item having count(*) > 1) as doubled";
    phase("the table of orders");
    let all = stage.load.acknowledged();
    let values = all.iter().map(|(id, item)| format!("({id}, '{item}')"));
    let values = values.collect::<Vec<_>>().join(", ");
    let found = format!(
        "select count(*) from (values {values}) as acknowledged (id, item) \
         join orders using (id, item)"
    );
    let number = async |sql: &str| {
        let text = stage.postgres.admin(sql).await?.unwrap_or_default();
        Ok::<usize, Failure>(text.parse()?)
    };
    let (found, doubled) = (number(&found).await?, number(TWICE).await?);
    let rows = number("select count(*) from orders").await?;
    println!("  {} orders acknowledged, {rows} in the table, {doubled} twice", all.len());
    report.check("no acknowledged order is lost", found == all.len());
    report.check("no order is there twice", doubled == 0);
    Ok(())
}

async fn scraped(stage: &mut Stage, report: &mut Report) {
    phase("what Prometheus has scraped");
    let Some(prometheus) = &stage.prometheus else {
        println!("  nothing: it is not installed (apt-get install prometheus)");
        return;
    };
    let queries = [
        "sum(redress_retries)",
        "sum(redress_success_after_retries)",
        "sum(redress_retry_duration_count)",
        "count(redress_circuit_state)",
    ];
    let mut are_there = true;
    for query in queries {
        let value = prometheus.value(query).await;
        println!("  {query} {}", value.map_or("-".into(), |value| value.to_string()));
        are_there &= value.is_some_and(|value| value > 0.0);
    }
    report.check("each metric is there", are_there);
}

async fn termination(stage: &mut Stage, report: &mut Report) -> Result<(), Failure> {
    const SLOW: &str = "
        create function slow() returns trigger language plpgsql
            as 'begin perform pg_sleep(1.2); return new; end';
        create trigger slow before insert on orders for each row when (new.quantity = 9)
            execute function slow()";
    phase("SIGTERM under load");
    stage.postgres.admin(SLOW).await?;
    let _ = stage.calls();
    let load = stage.load.clone();
    // As long as a load balancer sees the service ready, it sends requests.
    let (not_ready, answers) = load
        .during(Duration::ZERO, async {
            let runs = soon(async || stage.log().contains("INSERT order")).await;
            stage.service.signal("TERM")?;
            let seen = async || load.send(load.get("/readyz")).await.status == Some(503);
            Ok::<_, Failure>(runs && soon(seen).await)
        })
        .await;
    println!("  {}", statuses(&answers));
    report.check("/readyz says 503 while requests are answered", not_ready?);
    report.check("each of them succeeds", all_are(&answers, &[200, 201]));
    let closed = async {
        let closed = soon(async || load.send(load.get("/healthz")).await.status.is_none()).await;
        (closed, Instant::now())
    };
    let ((slow_at, slow), (closed, at)) = tokio::join!(
        async {
            let (_, answer) = load.order(9, true).await;
            (Instant::now(), answer)
        },
        closed
    );
    println!("  an INSERT of 1.2 s: {} in {} ms", slow.word(), slow.elapsed.as_millis());
    let waited = slow.status == Some(201) && closed;
    report.check(
        "new connections are refused, and the order in flight is made",
        waited && at < slow_at,
    );
    let status = stage.service.ended().await?;
    report.check("the service ends with exit code 0", status.success());
    Ok(())
}
