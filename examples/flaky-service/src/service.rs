//! A service on loopback that fails by a script: [`FlakyService`], for the demo and
//! for tests.
//!
//! Faults are real: a reset is a TCP reset, a hang never answers, a 429 says when to
//! come back. What fails is decided by the phase of the [`Script`], the path, and a
//! number drawn from the script's seed and the request's number.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::RETRY_AFTER;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The path that needs credentials, which no caller has: 401, unless the phase fails first.
pub const PRIVATE: &str = "/private";
/// The path that does not exist: 404, unless the phase fails first.
pub const MISSING: &str = "/missing";
/// A path that exists; every other one does, too.
pub const ORDERS: &str = "/orders";

/// What a phase does to the requests that reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Beyond so many requests in a second of the script: 429 with `Retry-After: 1`.
    RateLimit {
        /// How many requests of each second are served.
        per_second: u32,
    },
    /// 503 for the first half of each period, served in the other half.
    Bursts {
        /// The length of both halves together.
        period: Duration,
    },
    /// So many of a hundred requests end in a TCP reset.
    Resets {
        /// 0 to 100.
        percent: u32,
    },
    /// So many of a hundred requests are never answered.
    Hangs {
        /// 0 to 100.
        percent: u32,
    },
    /// Nothing is served: half of the requests get a 503, half a TCP reset.
    Outage,
}

/// A stretch of time with one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What to call it.
    pub name: &'static str,
    /// How long it lasts; the last phase of a script lasts for ever.
    pub lasts: Duration,
    /// What it does.
    pub fault: Fault,
}

/// What goes wrong and when, counted from the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// The phases, at least one, in order.
    pub phases: &'static [Phase],
    /// Decides which of the requests of a phase are hit: the same seed hits the same
    /// ones.
    pub seed: u64,
}

/// Every fault in ten seconds, and an outage long enough to open a breaker.
const ALL_FAULTS: &[Phase] = &[
    phase("healthy", 1_000, Fault::None),
    phase("rate limited", 1_400, Fault::RateLimit { per_second: 40 }),
    phase("503 bursts", 1_400, Fault::Bursts { period: Duration::from_millis(600) }),
    phase("resets", 800, Fault::Resets { percent: 40 }),
    phase("hangs", 1_000, Fault::Hangs { percent: 25 }),
    phase("outage", 3_000, Fault::Outage),
    phase("recovered", 1_900, Fault::None),
];

const fn phase(name: &'static str, millis: u64, fault: Fault) -> Phase {
    Phase { name, lasts: Duration::from_millis(millis), fault }
}

impl Script {
    /// Healthy, rate limited, bursts of 503, resets, hangs, an outage of three
    /// seconds, recovered: ten and a half seconds.
    pub const fn all_faults(seed: u64) -> Self {
        Self { phases: ALL_FAULTS, seed }
    }

    /// How long all phases take together.
    pub fn length(&self) -> Duration {
        self.phases.iter().map(|phase| phase.lasts).sum()
    }

    /// The index of the phase at this time, and how long it has lasted by then.
    pub fn at(&self, elapsed: Duration) -> (usize, Duration) {
        let mut rest = elapsed;
        for (index, phase) in self.phases.iter().enumerate() {
            match rest.checked_sub(phase.lasts) {
                Some(after) if index + 1 < self.phases.len() => rest = after,
                _ => return (index, rest),
            }
        }
        (0, rest)
    }
}

/// A running service. Dropping it closes the port and every connection.
#[derive(Debug)]
pub struct FlakyService {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    script: Script,
    /// The time of the first request, from which the script counts.
    begun: OnceLock<Instant>,
    /// How many requests reached each phase.
    reached: Vec<AtomicU32>,
    /// The second that a rate limit has seen last, and its requests so far.
    second: Mutex<(u64, u32)>,
    /// What happens instead of the script.
    by_hand: Mutex<Option<Fault>>,
    /// The body of the latest request that was served.
    body: Mutex<Bytes>,
}

/// What becomes of one request.
enum Answer {
    Status(StatusCode),
    Reset,
    Hang,
}

/// The connection is to be reset.
#[derive(Debug)]
struct ResetConnection;

impl std::fmt::Display for ResetConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is to be reset")
    }
}

impl std::error::Error for ResetConnection {}

impl FlakyService {
    /// Starts a service on a free port of 127.0.0.1. Its script begins with the
    /// first request. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// What the system says if there is no port.
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), script).await
    }

    /// The same at an address of your own: where one was that is gone.
    ///
    /// # Errors
    ///
    /// What the system says if it cannot be had.
    pub async fn start_at(address: SocketAddr, script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            script,
            begun: OnceLock::new(),
            reached: script.phases.iter().map(|_| AtomicU32::new(0)).collect(),
            second: Mutex::default(),
            by_hand: Mutex::default(),
            body: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self { address, state, accepting })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its script.
    pub fn script(&self) -> &Script {
        &self.state.script
    }

    /// From now on this fault, whatever the script says.
    pub fn switch(&self, fault: Fault) {
        *lock(&self.state.by_hand) = Some(fault);
    }

    /// The body of the latest request that was served; empty before the first.
    pub fn latest_body(&self) -> Bytes {
        lock(&self.state.body).clone()
    }

    /// The index of the phase it is in.
    pub fn phase(&self) -> usize {
        self.state.script.at(self.state.elapsed()).0
    }

    /// How many requests have reached it.
    pub fn reached(&self) -> u32 {
        self.state.reached.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// How many of them while it was out.
    pub fn reached_in_outage(&self) -> u32 {
        let phases = self.state.script.phases.iter().zip(&self.state.reached);
        let out = phases.filter(|(phase, _)| phase.fault == Fault::Outage);
        out.map(|(_, count)| count.load(Ordering::Relaxed)).sum()
    }
}

impl Drop for FlakyService {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Owned by this task, so that the connections end with it.
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, Arc::clone(&state)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(|request| Box::pin(answer(request, Arc::clone(&state))));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = std::future::poll_fn(|context| connection.poll_without_shutdown(context)).await;
    // The service function fails for one reason only: the peer is to see a reset.
    if ended.is_err_and(|error| error.is_user()) {
        let stream = connection.into_parts().io.into_inner();
        // With SO_LINGER zero, closing sends RST instead of FIN.
        let _ = stream.set_zero_linger();
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
) -> Result<Response<Full<Bytes>>, ResetConnection> {
    let status = match state.decide(request.uri().path()) {
        Answer::Status(status) => status,
        Answer::Reset => return Err(ResetConnection),
        Answer::Hang => std::future::pending().await,
    };
    // A body that does not arrive whole is not kept: its sender sees no answer either.
    if let Ok(body) = request.into_body().collect().await
        && status == StatusCode::OK
    {
        *lock(&state.body) = body.to_bytes();
    }
    let body = status.canonical_reason().unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, 1.into());
    }
    Ok(response)
}

impl State {
    fn elapsed(&self) -> Duration {
        self.begun.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Counts a request and decides what becomes of it.
    fn decide(&self, path: &str) -> Answer {
        self.begun.get_or_init(Instant::now);
        let elapsed = self.elapsed();
        let (index, since) = self.script.at(elapsed);
        let number = self.reached[index].fetch_add(1, Ordering::Relaxed);
        let percent = percent(self.script.seed, index, number);
        let fault = lock(&self.by_hand).unwrap_or(self.script.phases[index].fault);
        match fault {
            Fault::RateLimit { per_second } if self.nth_of(elapsed.as_secs()) > per_second => {
                Answer::Status(StatusCode::TOO_MANY_REQUESTS)
            }
            Fault::Bursts { period } if is_first_half(since, period) => {
                Answer::Status(StatusCode::SERVICE_UNAVAILABLE)
            }
            Fault::Resets { percent: hit } if percent < hit => Answer::Reset,
            Fault::Hangs { percent: hit } if percent < hit => Answer::Hang,
            Fault::Outage if percent < 50 => Answer::Reset,
            Fault::Outage => Answer::Status(StatusCode::SERVICE_UNAVAILABLE),
            _ => Answer::Status(match path {
                PRIVATE => StatusCode::UNAUTHORIZED,
                MISSING => StatusCode::NOT_FOUND,
                _ => StatusCode::OK,
            }),
        }
    }

    /// Counts a request of this second: the first is 1.
    fn nth_of(&self, second: u64) -> u32 {
        let mut seen = lock(&self.second);
        if seen.0 != second {
            *seen = (second, 0);
        }
        seen.1 += 1;
        seen.1
    }
}

/// A panic elsewhere leaves these values whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_first_half(since: Duration, period: Duration) -> bool {
    (since.as_micros() * 2 / period.as_micros().max(1)).is_multiple_of(2)
}

/// A number from 0 to 99 for the n-th request of a phase: one step of splitmix64
/// (Steele, Lea and Flood, 2014).
fn percent(seed: u64, phase: usize, number: u32) -> u32 {
    const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
    let place = (phase as u64) << 32 | u64::from(number);
    let mut z = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(GAMMA));
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ z >> 31) % 100) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_has_every_fault_and_its_last_phase_never_ends() {
        let script = Script::all_faults(1);
        assert_eq!(script.length(), Duration::from_millis(10_500));
        for (millis, name) in [
            (0, "healthy"),
            (999, "healthy"),
            (1_000, "rate limited"),
            (2_400, "503 bursts"),
            (3_800, "resets"),
            (4_600, "hangs"),
            (5_600, "outage"),
            (8_599, "outage"),
            (8_600, "recovered"),
            (3_600_000, "recovered"),
        ] {
            let (index, _) = script.at(Duration::from_millis(millis));
            assert_eq!(script.phases[index].name, name, "at {millis} ms");
        }
    }

    #[test]
    fn a_seed_always_hits_the_same_requests_and_another_one_others() {
        let hits = |seed| (0..64).map(|n| percent(seed, 3, n) < 40).collect::<Vec<_>>();
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        let share = hits(7).iter().filter(|hit| **hit).count();
        assert!((15..=36).contains(&share), "{share} of 64 at 40 percent");
    }

    #[test]
    fn bursts_take_the_first_half_of_each_period() {
        let period = Duration::from_millis(600);
        for (millis, hit) in [(0, true), (299, true), (300, false), (599, false), (600, true)] {
            assert_eq!(is_first_half(Duration::from_millis(millis), period), hit, "{millis}");
        }
    }
}
