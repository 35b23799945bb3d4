//! The flaky service: what it does wrong depends on how long it has been running.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the service does wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing.
    Healthy,
    /// 429 with `Retry-After: 1` for one of four requests.
    RateLimited,
    /// 503 for one of four.
    Bursts,
    /// The connection of one of four requests is reset.
    Resets,
    /// One of five requests is never answered.
    Hangs,
    /// 503 for all.
    Outage,
}

impl Phase {
    /// A word for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::RateLimited => "rate limited",
            Self::Bursts => "bursts of 503",
            Self::Resets => "resets",
            Self::Hangs => "hangs",
            Self::Outage => "outage",
        }
    }
}

/// The phases of a run: each begins so long after the start.
const SCRIPT: [(Duration, Phase); 8] = [
    (Duration::ZERO, Phase::Healthy),
    (Duration::from_secs(1), Phase::RateLimited),
    (Duration::from_secs(2), Phase::Bursts),
    (Duration::from_secs(3), Phase::Resets),
    (Duration::from_secs(4), Phase::Hangs),
    (Duration::from_secs(5), Phase::Outage),
    (Duration::from_secs(8), Phase::Healthy),
    (Duration::MAX, Phase::Healthy),
];

/// How long the script has something to show.
pub const LENGTH: Duration = Duration::from_secs(10);

/// The phase at a time since the start.
pub fn phase_at(elapsed: Duration) -> Phase {
    let begun = SCRIPT.iter().take_while(|(start, _)| *start <= elapsed);
    begun.last().map_or(Phase::Healthy, |(_, phase)| *phase)
}

/// A running service; it ends when this is dropped.
#[derive(Debug)]
pub struct FlakyService {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    started: Instant,
    reached: AtomicU64,
    reached_in_outage: AtomicU64,
    random: Mutex<StdRng>,
}

enum Answer {
    Send(Response<Full<Bytes>>),
    Reset,
    Hang,
}

impl FlakyService {
    /// Listens on a free port of the loopback; its script begins now.
    ///
    /// # Errors
    ///
    /// If no port can be had.
    pub async fn start(seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            started: Instant::now(),
            reached: AtomicU64::new(0),
            reached_in_outage: AtomicU64::new(0),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self { address, state, accepting })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it does wrong now.
    pub fn phase(&self) -> Phase {
        phase_at(self.state.started.elapsed())
    }

    /// How many requests reached it.
    pub fn reached(&self) -> u64 {
        self.state.reached.load(Ordering::Relaxed)
    }

    /// How many of them in the outage.
    pub fn reached_in_outage(&self) -> u64 {
        self.state.reached_in_outage.load(Ordering::Relaxed)
    }
}

impl Drop for FlakyService {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        // A connection that was gone before it was accepted is nobody's.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&state)));
        }
    }
}

async fn serve(stream: tokio::net::TcpStream, state: Arc<State>) {
    let Ok(stream) = stream.into_std() else { return };
    let Ok(socket) = stream.try_clone() else { return };
    let Ok(stream) = tokio::net::TcpStream::from_std(stream) else { return };
    let handler = service_fn(|request| answer(request, &state, &socket));
    // An error is a connection that ended in the middle, which is what we are for.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), handler)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    state: &State,
    socket: &TcpStream,
) -> Result<Response<Full<Bytes>>, Gone> {
    match state.decide(request.uri().path()) {
        Answer::Send(response) => Ok(response),
        Answer::Hang => std::future::pending().await,
        Answer::Reset => {
            // With nothing to linger for, closing sends a reset.
            let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
            Err(Gone)
        }
    }
}

/// The handler gives its connection up.
#[derive(Debug)]
struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection given up")
    }
}

impl std::error::Error for Gone {}

impl From<Infallible> for Gone {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl State {
    fn decide(&self, path: &str) -> Answer {
        let phase = phase_at(self.started.elapsed());
        self.reached.fetch_add(1, Ordering::Relaxed);
        if phase == Phase::Outage {
            self.reached_in_outage.fetch_add(1, Ordering::Relaxed);
        }
        let one_in = |n: u32| {
            let mut random = self.random.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            random.random_range(0..n) == 0
        };
        match (path, phase) {
            (_, Phase::Outage) => status(StatusCode::SERVICE_UNAVAILABLE),
            ("/missing", _) => status(StatusCode::NOT_FOUND),
            ("/private", _) => status(StatusCode::UNAUTHORIZED),
            (_, Phase::RateLimited) if one_in(4) => Answer::Send(too_many()),
            (_, Phase::Bursts) if one_in(4) => status(StatusCode::SERVICE_UNAVAILABLE),
            (_, Phase::Resets) if one_in(4) => Answer::Reset,
            (_, Phase::Hangs) if one_in(5) => Answer::Hang,
            _ => status(StatusCode::OK),
        }
    }
}

fn status(status: StatusCode) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from_static(b"answer\n")));
    *response.status_mut() = status;
    Answer::Send(response)
}

fn too_many() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"slow down\n")));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let one_second = hyper::header::HeaderValue::from_static("1");
    response.headers_mut().insert(hyper::header::RETRY_AFTER, one_second);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_shows_every_fault_and_recovers() {
        let phases: Vec<_> = SCRIPT.iter().map(|(start, _)| phase_at(*start)).collect();
        for phase in [Phase::RateLimited, Phase::Bursts, Phase::Resets, Phase::Hangs, Phase::Outage]
        {
            assert!(phases.contains(&phase), "{phase:?}");
        }
        assert_eq!(phase_at(LENGTH), Phase::Healthy);
    }
}
