//! `cargo demo -- --playground`: the page of `examples/playground`, built if it is not there, on the loopback.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What the page is made of, in the order in which it is asked for.
const FILES: [&str; 4] = ["index.html", "style.css", "page.js", "worker.js"];

/// The page as files; what is missing, or older than its sources, is built first.
///
/// # Errors
///
/// One line that says what is missing, or that building failed.
pub fn built() -> io::Result<PathBuf> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playground");
    let folder = example.join("dist");
    if is_fresh(&example, &folder)? {
        return Ok(folder);
    }
    println!(
        "The page is not built yet; that takes a moment, or some minutes if the npm package is not built either."
    );
    match Command::new("node").arg("setup.mjs").current_dir(&example).status() {
        Ok(status) if status.success() => Ok(folder),
        Ok(status) => {
            Err(io::Error::other(format!("the page cannot be built: node ended with {status}")))
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            Err(io::Error::other("node is missing: install Node.js 20 or later, with npm"))
        }
        Err(why) => Err(why),
    }
}

/// Whether all files are there, none of them older than what it is built from.
fn is_fresh(example: &Path, folder: &Path) -> io::Result<bool> {
    let built = FILES.iter().map(|name| changed(&folder.join(name)));
    let Ok(oldest) = built.collect::<io::Result<Vec<_>>>() else { return Ok(false) };
    let package = example.join("../../wasm/dist/esm/lint.js");
    let mut newest = changed(&package).unwrap_or(SystemTime::UNIX_EPOCH);
    for part in ["src", "src/code", "page"] {
        for entry in fs::read_dir(example.join(part))? {
            newest = newest.max(entry?.metadata()?.modified()?);
        }
    }
    Ok(oldest.into_iter().min().is_some_and(|oldest| oldest >= newest))
}

fn changed(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// Binds a port of the loopback; 0 is any that is free.
///
/// # Errors
///
/// One line with the port that cannot be bound.
pub async fn listen(port: u16) -> io::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address)
        .await
        .map_err(|why| io::Error::new(why.kind(), format!("port {port} cannot be bound: {why}")))
}

/// Serves the page until it is dropped.
///
/// # Errors
///
/// Of accepting a connection.
pub async fn serve(listener: TcpListener, folder: PathBuf) -> io::Result<Infallible> {
    let folder = Arc::new(folder);
    loop {
        let (stream, _) = listener.accept().await?;
        let folder = Arc::clone(&folder);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                std::future::ready(Ok::<_, Infallible>(answer(&request, &folder)))
            });
            // A browser that goes away is no error.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer(request: &Request<Incoming>, folder: &Path) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
    let content = FILES.contains(&name).then(|| fs::read(folder.join(name)));
    let Some(Ok(content)) = content else {
        let mut missing = Response::new(Full::default());
        *missing.status_mut() = StatusCode::NOT_FOUND;
        return missing;
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "text/javascript; charset=utf-8",
    };
    let mut response = Response::new(Full::new(content.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // A page that was built anew is seen at once.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_files_of_the_page_are_served_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("playground-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("index.html"), "<p>here</p>").unwrap();
        fs::write(folder.join("worker.js"), "1;").unwrap();
        fs::write(folder.join("secret"), "not for you").unwrap();
        let listener = listen(0).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, folder.clone()));

        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for (path, status, kind, body) in [
            ("/", 200, "text/html; charset=utf-8", "<p>here</p>"),
            ("/index.html", 200, "text/html; charset=utf-8", "<p>here</p>"),
            ("/worker.js", 200, "text/javascript; charset=utf-8", "1;"),
            ("/page.js", 404, "", ""),
            ("/secret", 404, "", ""),
            ("/%2e%2e/secret", 404, "", ""),
        ] {
            let response = client.get(format!("{base}{path}")).send().await.unwrap();
            assert_eq!(response.status(), status, "{path}");
            let found = response.headers().get("content-type").map(|value| value.to_str().unwrap());
            assert_eq!(found.unwrap_or_default(), kind, "{path}");
            assert_eq!(response.text().await.unwrap(), body, "{path}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = listen(0).await.unwrap().into_std().unwrap();
        let port = taken.local_addr().unwrap().port();
        let why = listen(port).await.unwrap_err().to_string();
        assert!(why.starts_with(&format!("port {port} cannot be bound: ")), "{why}");
    }
}
