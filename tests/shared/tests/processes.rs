//! Processes with several tasks each share a breaker in a real Redis.

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redress_hosts::servers::redis::Redis;
use redress_hosts::servers::{Folder, reached};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

const LEASE: Duration = Duration::from_millis(1_500);
const PROCESSES: usize = 3;
const TASKS: usize = 5;

/// Answers with a status, or holds calls until it has one.
struct Upstream {
    url: String,
    status: watch::Sender<Option<u16>>,
    calls: Arc<Calls>,
}

#[derive(Default)]
struct Calls {
    all: AtomicUsize,
    held: AtomicUsize,
    most: AtomicUsize,
}

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (status, says) = watch::channel(Some(200));
        let calls = Arc::new(Calls::default());
        let counted = calls.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, says.clone(), counted.clone()));
            }
        });
        Self { url, status, calls }
    }

    fn says(&self, status: Option<u16>) {
        self.status.send_replace(status);
    }

    fn all(&self) -> usize {
        self.calls.all.load(Ordering::SeqCst)
    }

    fn held(&self) -> usize {
        self.calls.held.load(Ordering::SeqCst)
    }
}

async fn answer(mut stream: TcpStream, mut says: watch::Receiver<Option<u16>>, calls: Arc<Calls>) {
    let mut request = [0; 1_024];
    let _ = stream.read(&mut request).await;
    calls.all.fetch_add(1, Ordering::SeqCst);
    let held = calls.held.fetch_add(1, Ordering::SeqCst) + 1;
    if says.borrow().is_none() {
        calls.most.fetch_max(held, Ordering::SeqCst);
    }
    // A process that is killed closes its connection.
    let status = tokio::select! {
        status = says.wait_for(Option::is_some) => status.ok().and_then(|status| *status),
        _ = stream.read(&mut request) => None,
    };
    calls.held.fetch_sub(1, Ordering::SeqCst);
    if let Some(status) = status {
        let response =
            format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(response.as_bytes()).await;
    }
}

struct Process {
    child: Child,
    input: ChildStdin,
    asked: usize,
    ends: Arc<Mutex<Vec<String>>>,
}

impl Process {
    fn start(redis: &Redis, upstream: &Upstream, settings: &Value) -> Self {
        let given =
            json!({ "id": 0, "url": upstream.url, "port": redis.port, "settings": settings });
        let mut child = Command::new(env!("CARGO_BIN_EXE_redress-shared"))
            .arg(given.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ends = Arc::new(Mutex::new(Vec::new()));
        let heard = ends.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let said: Value = serde_json::from_str(&line).unwrap();
                heard.lock().unwrap().push(said["end"].as_str().unwrap().to_owned());
            }
        });
        // It says that it is ready.
        Self { child, input, asked: 1, ends }
    }

    async fn ask(&mut self, calls: usize) {
        for _ in 0..calls {
            self.asked += 1;
            let line = format!("{}\n", json!({ "number": self.asked }));
            self.input.write_all(line.as_bytes()).await.unwrap();
        }
    }

    fn open(&self) -> usize {
        self.asked - self.ends.lock().unwrap().len()
    }

    /// How its calls ended since it was asked the last time.
    fn ends(&mut self) -> Vec<String> {
        let ends = std::mem::take(&mut *self.ends.lock().unwrap());
        self.asked -= ends.len();
        ends
    }
}

struct Laboratory {
    redis: Redis,
    upstream: Upstream,
    processes: Vec<Process>,
    _folder: Folder,
}

impl Laboratory {
    async fn start(name: &str, more: Value) -> Self {
        let folder = Folder::new().unwrap();
        let keeps = ["--appendonly", "yes", "--appendfsync", "always"];
        let redis = Redis::start(&folder, name, &keeps).await.unwrap();
        let upstream = Upstream::start().await;
        let mut settings = json!({
            "key": name, "failureThreshold": 3, "recoveryTimeoutMs": 100,
            "leaseMs": LEASE.as_millis() as u64, "timeoutMs": 2_000, "whenUnreachable": "reject",
        });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        let processes = (0..PROCESSES).map(|_| Process::start(&redis, &upstream, &settings));
        let processes = processes.collect();
        let mut all = Self { redis, upstream, processes, _folder: folder };
        all.settled().await;
        for process in &mut all.processes {
            assert_eq!(process.ends(), ["ready"]);
        }
        all
    }

    /// Waits until all calls have ended or are held by the upstream.
    async fn settled(&mut self) {
        let (processes, upstream) = (&self.processes, &self.upstream);
        let open = || processes.iter().map(Process::open).sum::<usize>();
        reached("the end of calls", async || open() <= upstream.held()).await.unwrap();
    }

    /// Each process makes so many calls at once; how those ended that are not held.
    async fn round(&mut self, calls: usize) -> Vec<String> {
        for process in &mut self.processes {
            process.ask(calls).await;
        }
        self.settled().await;
        self.processes.iter_mut().flat_map(Process::ends).collect()
    }

    async fn opens(&mut self) {
        self.upstream.says(Some(503));
        self.processes[0].ask(3).await;
        self.settled().await;
        assert_eq!(self.processes[0].ends(), ["failure"; 3]);
    }
}

fn only(ends: &[String], end: &str) {
    assert!(ends.iter().all(|one| one == end), "{ends:?}, not {end} alone");
}

#[tokio::test]
async fn tasks_of_processes_make_no_more_probes_than_permitted() {
    for permits in [1, 2] {
        let name = format!("permits-{permits}");
        let more = json!({ "halfOpenPermits": permits, "leaseMs": 60_000 });
        let mut all = Laboratory::start(&name, more).await;
        all.opens().await;
        for _ in 0..3 {
            all.upstream.says(None);
            while all.upstream.held() < permits {
                only(&all.round(TASKS).await, "rejected");
            }
            for _ in 0..5 {
                only(&all.round(TASKS).await, "rejected");
            }
            assert_eq!(all.upstream.calls.most.load(Ordering::SeqCst), permits);
            all.upstream.says(Some(503));
            all.settled().await;
            let ends: Vec<_> = all.processes.iter_mut().flat_map(Process::ends).collect();
            only(&ends, "failure");
        }
        all.upstream.says(Some(200));
        while !all.round(TASKS).await.iter().all(|end| end == "success") {}
    }
}

#[tokio::test]
async fn the_place_of_a_process_that_is_killed_is_free_when_its_lease_has_ended_not_before() {
    let mut all = Laboratory::start("killed", json!({})).await;
    all.opens().await;
    all.upstream.says(None);
    let earliest = Instant::now();
    while all.upstream.held() == 0 {
        only(&all.round(TASKS).await, "rejected");
    }
    let latest = Instant::now();
    let holds = all.processes.iter().position(|process| process.open() > 0).unwrap();
    let mut lost = all.processes.swap_remove(holds);
    lost.child.kill().await.unwrap();
    reached("its connection's end", async || all.upstream.held() == 0).await.unwrap();
    loop {
        let began = Instant::now();
        only(&all.round(TASKS).await, "rejected");
        if all.upstream.held() > 0 {
            break;
        }
        assert!(began <= latest + LEASE, "its lease has ended, and no call became a probe");
    }
    assert!(Instant::now() >= earliest + LEASE);
    assert_eq!(all.upstream.held(), 1);
}

#[tokio::test]
async fn a_redis_that_restarts_keeps_the_state_and_one_that_is_empty_begins_anew() {
    let mut all = Laboratory::start("restarts", json!({ "recoveryTimeoutMs": 60_000 })).await;
    only(&all.round(1).await, "success");
    all.opens().await;
    all.redis.kill();
    let calls = all.upstream.all();
    only(&all.round(1).await, "rejected");
    all.redis.restart(&[]).await.unwrap();
    all.upstream.says(Some(200));
    for _ in 0..3 {
        only(&all.round(TASKS).await, "rejected");
    }
    assert_eq!(all.upstream.all(), calls);
    all.redis.run::<redis::Value>("FLUSHALL").await.unwrap();
    all.redis.kill();
    only(&all.round(1).await, "rejected");
    all.redis.restart(&[]).await.unwrap();
    while !all.round(TASKS).await.iter().all(|end| end == "success") {}
}

#[tokio::test]
async fn a_redis_that_cannot_be_reached_means_what_each_process_knew_last() {
    let local =
        json!({ "whenUnreachable": "local", "timeoutMs": 300, "recoveryTimeoutMs": 60_000 });
    let mut all = Laboratory::start("local", local).await;
    only(&all.round(1).await, "success");
    all.redis.kill();
    only(&all.round(TASKS).await, "success");
    all.upstream.says(Some(503));
    // Three failures, in this process alone.
    for process in &mut all.processes {
        process.ask(3).await;
    }
    all.settled().await;
    let ends: Vec<_> = all.processes.iter_mut().flat_map(Process::ends).collect();
    only(&ends, "failure");
    only(&all.round(TASKS).await, "rejected");
}
