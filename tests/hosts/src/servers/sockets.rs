//! Sockets of this process, each with one way to answer.

use std::fmt::Display;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// What becomes of a connection.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is accepted, and nothing more.
    Hang,
    /// It is reset when the first bytes have come.
    Reset,
    /// It is closed when the first bytes have come.
    Close,
    /// It gets these bytes when the first bytes have come, and is closed.
    Bytes(Vec<u8>),
    /// As [`Bytes`](Self::Bytes), but it is reset.
    BytesAndReset(Vec<u8>),
    /// As [`Bytes`](Self::Bytes), but it stays open.
    BytesAndHang(Vec<u8>),
    /// An HTTP response whose status is the path, and whose headers are the query: to
    /// `/503?Retry-After=7`.
    Status,
    /// TLS with a certificate that its own key has signed.
    Tls,
    /// These frames of HTTP/2, when a request has come.
    Frames(Vec<u8>),
}

/// An HTTP/1.1 response with a length that is that of its body, unless `headers` have one.
pub fn http(status: impl Display, headers: &str, body: &str) -> Answer {
    let length = if headers.to_ascii_lowercase().contains("content-length") {
        String::new()
    } else {
        format!("content-length: {}\r\n", body.len())
    };
    let head = format!("HTTP/1.1 {status} -\r\n{headers}{length}connection: close\r\n\r\n");
    Answer::Bytes(format!("{head}{body}").into_bytes())
}

/// The frames by which an HTTP/2 server resets the first stream.
pub fn reset_stream(code: u8) -> Answer {
    Answer::Frames(vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, code])
}

/// The frames by which an HTTP/2 server closes a connection of which it has processed no stream.
pub fn go_away(code: u8) -> Answer {
    Answer::Frames(vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, code])
}

/// A listener that answers each connection in one way, until that is changed.
pub struct Socket {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    answer: Mutex<Answer>,
    connections: AtomicU64,
    /// What the connection before has begun with.
    latest: Mutex<String>,
}

impl State {
    /// Leaves the first bytes to whatever answers them.
    async fn note(&self, stream: &TcpStream) -> io::Result<()> {
        let mut bytes = vec![0; 65_536];
        let length = stream.peek(&mut bytes).await?;
        let latest = String::from_utf8_lossy(&bytes[..length]).into_owned();
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = latest;
        Ok(())
    }

    fn answer(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Socket {
    /// Starts it on a free port.
    pub async fn start(answer: Answer) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            answer: Mutex::new(answer),
            connections: AtomicU64::new(0),
            latest: Mutex::default(),
        });
        let own = state.clone();
        let task = tokio::spawn(async move {
            // They end with this task.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::Relaxed);
                let (own, answer) = (own.clone(), own.answer().clone());
                connections.spawn(async move {
                    own.note(&stream).await?;
                    serve(stream, answer).await
                });
            }
        });
        Ok(Self { address, state, task })
    }

    /// Answers connections that come from now on in this way.
    pub fn set(&self, answer: Answer) {
        *self.state.answer() = answer;
    }

    /// How many connections have come.
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// The first bytes of the latest connection: a request of HTTP, for instance.
    pub fn latest(&self) -> String {
        self.state.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// An URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port that refuses connections: this process has it, and does not listen.
pub struct Refusing {
    /// The port, with its address.
    pub address: SocketAddr,
    _socket: TcpSocket,
}

impl Refusing {
    /// A free port.
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self { address: socket.local_addr()?, _socket: socket })
    }
}

async fn serve(mut stream: TcpStream, answer: Answer) -> io::Result<()> {
    match answer {
        Answer::Hang => std::future::pending().await,
        Answer::Reset => {
            read_some(&mut stream).await?;
            stream.set_zero_linger()
        }
        Answer::Close => read_some(&mut stream).await.map(drop),
        Answer::Bytes(bytes) => {
            read_some(&mut stream).await?;
            finish(stream, &bytes).await
        }
        Answer::BytesAndReset(bytes) => {
            read_some(&mut stream).await?;
            stream.write_all(&bytes).await?;
            stream.set_zero_linger()
        }
        Answer::BytesAndHang(bytes) => {
            read_some(&mut stream).await?;
            stream.write_all(&bytes).await?;
            std::future::pending().await
        }
        Answer::Status => {
            let request = read_some(&mut stream).await?;
            let Answer::Bytes(bytes) = by_target(&request) else { return Ok(()) };
            finish(stream, &bytes).await
        }
        Answer::Tls => {
            let acceptor = TlsAcceptor::from(Arc::new(self_signed()?));
            acceptor.accept(stream).await.map(drop)
        }
        Answer::Frames(frames) => frames_of_http2(stream, &frames).await,
    }
}

async fn read_some(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 65_536];
    let length = stream.read(&mut bytes).await?;
    bytes.truncate(length);
    Ok(bytes)
}

/// Writes, and closes once the client has: bytes that were not read would make of it a reset.
async fn finish(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    while !read_some(&mut stream).await?.is_empty() {}
    Ok(())
}

fn by_target(request: &[u8]) -> Answer {
    let request = String::from_utf8_lossy(request);
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = query.split('&').filter_map(|pair| pair.split_once('='));
    let headers = headers.map(|(name, value)| format!("{name}: {}\r\n", value.replace('+', " ")));
    http(path.trim_start_matches('/'), &headers.collect::<String>(), "")
}

/// The certificate and its key, which are in this folder for nothing but this.
fn self_signed() -> io::Result<ServerConfig> {
    const CERTIFICATE: &[u8] = include_bytes!("../../certificate/certificate.pem");
    const KEY: &[u8] = include_bytes!("../../certificate/key.pem");
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(KEY).map_err(io::Error::other)?;
    let config = ServerConfig::builder().with_no_client_auth();
    config.with_single_cert(vec![certificate], key).map_err(io::Error::other)
}

/// The settings of a server, then the frames once the headers of a request have come.
async fn frames_of_http2(mut stream: TcpStream, frames: &[u8]) -> io::Result<()> {
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await?;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        tokio::io::copy(&mut (&mut stream).take(length.into()), &mut tokio::io::sink()).await?;
        match (head[3], head[4]) {
            (1, _) => break,
            // The acknowledgement of the client's settings.
            (4, 0) => stream.write_all(&[0, 0, 0, 4, 1, 0, 0, 0, 0]).await?,
            _ => {}
        }
    }
    stream.write_all(frames).await?;
    while !read_some(&mut stream).await?.is_empty() {}
    Ok(())
}
