//! A process whose breaker is in Redis: it makes a call for each line of its input, any number at
//! the same time, and says on a line of its output how it ended. What it is to do is in its first
//! argument, as JSON: `{ "id": 0, "url": "http://127.0.0.1:1/", "port": 6379, "settings": { .. } }`,
//! with the settings of `sharedBreaker` of the npm package.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redress::{Error, ErrorClass, Policy};
use redress_tokio::redis::{RedisStore, SharedBreaker};
use redress_tokio::shared::{Sharing, WhenUnreachable};
use redress_tokio::{Upstream, UpstreamSettings};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often what was told.
#[derive(Default)]
struct Tells {
    unreachable: AtomicU32,
    conflicts: AtomicU32,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words = std::env::args().nth(1).ok_or("no argument")?;
    let mut given: Map<String, Value> = serde_json::from_str(&words)?;
    let mut take = |name: &str| given.remove(name).unwrap_or_default();
    let (id, url, port) = (take("id"), take("url"), take("port"));
    let Value::Object(settings) = take("settings") else { return Err("no settings".into()) };
    let address = url.as_str().and_then(|url| url.strip_prefix("http://"));
    let address: Arc<str> = address.and_then(|url| url.strip_suffix('/')).ok_or("no URL")?.into();
    let tells = Arc::new(Tells::default());
    let breaker = breaker(&format!("redis://127.0.0.1:{port}"), settings, &tells).await?;
    let upstream = Upstream::new(Policy::once()).classify(class as fn(&Status) -> ErrorClass);

    println!("{}", line(0, "ready", &tells));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(asked) = lines.next_line().await? {
        let number: Value = serde_json::from_str(&asked)?;
        let (number, id) = (number["number"].as_u64().unwrap_or_default(), id.to_string());
        let (breaker, upstream) = (breaker.clone(), upstream.clone());
        let (address, tells) = (address.clone(), tells.clone());
        tokio::spawn(async move {
            let call = upstream.call_through(&breaker, "upstream", |_| {
                let (address, id) = (address.clone(), id.clone());
                async move { get(&address, &id).await }
            });
            let end = match call.await {
                Ok(()) => "success".into(),
                Err(Error::CircuitOpen(_)) => "rejected".into(),
                Err(error) => match error.into_error() {
                    Some(Status::Failed(_)) => "failure".into(),
                    Some(Status::Broken(error)) => error.to_string(),
                    None => "no error".into(),
                },
            };
            println!("{}", line(number, &end, &tells));
        });
    }
    Ok(())
}

fn line(number: u64, end: &str, tells: &Tells) -> Value {
    let (unreachable, conflicts) =
        (tells.unreachable.load(Ordering::Relaxed), tells.conflicts.load(Ordering::Relaxed));
    let tells = json!({ "unreachable": unreachable, "conflicts": conflicts });
    json!({ "number": number, "end": end, "tells": tells })
}

async fn breaker(
    url: &str,
    mut settings: Map<String, Value>,
    tells: &Arc<Tells>,
) -> Result<SharedBreaker<ConnectionManager>, Failure> {
    let mut take = |name: &str| settings.remove(name);
    let key = take("key").and_then(|key| key.as_str().map(str::to_owned)).ok_or("no key")?;
    let (unreachable, conflicts) = (tells.clone(), tells.clone());
    let count = |counter: &AtomicU32| {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    let mut sharing = Sharing::new(key)
        .on_unreachable(move |_| count(&unreachable.unreachable))
        .on_conflict(move || count(&conflicts.conflicts));
    if let Some(ms) = take("timeoutMs") {
        sharing = sharing.timeout(ms.as_u64().map(Duration::from_millis));
    }
    if take("whenUnreachable").is_some_and(|when| when == "reject") {
        sharing = sharing.when_unreachable(WhenUnreachable::Reject);
    }
    let share = take("maxOwnFailures").and_then(|failures| failures.as_u64());
    let settings: UpstreamSettings = serde_json::from_value(json!({ "circuitBreaker": settings }))?;
    let config = ConnectionManagerConfig::new()
        .set_min_delay(Duration::from_millis(10))
        .set_max_delay(Duration::from_millis(20))
        .set_number_of_retries(usize::MAX);
    let client = redis::Client::open(url)?;
    let store = RedisStore::new(client.get_connection_manager_with_config(config).await?);
    let kind = settings.breaker()?.ok_or("no breaker")?;
    let breaker = SharedBreaker::new(store, sharing, kind)?;
    Ok(match share {
        Some(failures) => breaker.max_own_failures(u8::try_from(failures)?)?,
        None => breaker,
    })
}

/// Why a request failed.
#[derive(Debug)]
enum Status {
    /// By its status.
    Failed(u16),
    Broken(io::Error),
}

fn class(status: &Status) -> ErrorClass {
    match status {
        Status::Failed(500..) => ErrorClass::ServerError,
        Status::Failed(_) => ErrorClass::Permanent,
        Status::Broken(_) => ErrorClass::Transient,
    }
}

async fn get(address: &str, id: &str) -> Result<(), Status> {
    let status = exchange(address, id).await.map_err(Status::Broken)?;
    if status < 400 { Ok(()) } else { Err(Status::Failed(status)) }
}

async fn exchange(address: &str, id: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET / HTTP/1.1\r\nhost: {address}\r\nx-worker: {id}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
