//! A gRPC server of this process: the health service, which fails as the request says.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::codegen::tokio_stream::{self, Stream};
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_types::{ErrorDetails, StatusExt};

use crate::Failure;

/// The server, on a runtime of its own: with it all its connections end at once.
pub struct Grpc {
    /// Where it listens.
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Grpc {
    /// Starts it on a free port.
    pub async fn start() -> Result<Self, Failure> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts it at this address, for instance that of one which has ended.
    pub async fn start_at(address: SocketAddr) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let serve = runtime.spawn(async move {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            let server = Server::builder().add_service(HealthServer::new(Failing));
            tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
            Ok::<_, std::io::Error>(address)
        });
        Ok(Self { address: serve.await??, runtime: Some(runtime) })
    }
}

impl Drop for Grpc {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The name of the service in the request says how: `code 14`, `code 14 retry-info 3000`,
/// `code 14 pushback 250`, `hang`.
struct Failing;

fn failure(service: &str) -> Option<Status> {
    let words: Vec<&str> = service.split(' ').collect();
    let [_, code, ref more @ ..] = words[..] else { return None };
    let code = Code::from_i32(code.parse().ok()?);
    let mut metadata = MetadataMap::new();
    Some(match *more {
        ["retry-info", millis] => {
            let wait = Duration::from_millis(millis.parse().ok()?);
            let details = ErrorDetails::with_retry_info(Some(wait));
            Status::with_error_details(code, "as requested", details)
        }
        ["pushback", value] => {
            metadata.insert("grpc-retry-pushback-ms", value.parse().ok()?);
            Status::with_metadata(code, "as requested", metadata)
        }
        _ => Status::new(code, "as requested"),
    })
}

#[tonic::async_trait]
impl Health for Failing {
    type WatchStream =
        Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send + 'static>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match failure(&request.get_ref().service) {
            Some(status) => Err(status),
            None if request.get_ref().service == "hang" => std::future::pending().await,
            None => Ok(Response::new(HealthCheckResponse::default())),
        }
    }

    /// One message, then the failure; without one the stream does not end.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        use tokio_stream::StreamExt;
        let first = tokio_stream::once(Ok(HealthCheckResponse::default()));
        Ok(Response::new(match failure(&request.get_ref().service) {
            Some(status) => Box::pin(first.chain(tokio_stream::once(Err(status)))),
            None => Box::pin(first.chain(tokio_stream::pending())),
        }))
    }
}
