//! The programs of redress-tokio's pages, in a fresh crate that has what the pages say to add, and
//! nothing else.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use redress_tests::fresh::{blocks, cargo, fetch, fresh_crate};

/// A page of redress-tokio.
fn page(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/tokio");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A Redis that keeps nothing, for the programs that need one.
struct Redis {
    port: u16,
    child: Child,
}

impl Redis {
    fn start() -> Self {
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let mut redis = Self { port, child };
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(redis.child.try_wait().unwrap().is_none(), "redis-server has ended");
        }
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With `REDRESS_LONG` in the environment they are run; without, the compiler only checks them, as
/// reqwest with all its defaults takes minutes to build.
#[test]
fn each_program_of_the_pages_compiles_in_a_fresh_crate_and_runs() {
    let (front, pairs) = (page("README.md"), page("COMING_FROM.md"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fresh-tokio");
    let programs = fresh_crate(&folder, &[&front, &pairs]);
    assert_eq!(programs, 6 + 5, "programs of the pages");
    fetch(&folder);
    if std::env::var_os("REDRESS_LONG").is_none() {
        cargo(&folder, &["check", "--all-targets"]);
        return;
    }
    cargo(&folder, &["build"]);
    cargo(&folder, &["test", "--lib"]);
    let redis = Redis::start();
    let url = format!("env.REDIS_URL=\"redis://127.0.0.1:{}\"", redis.port);
    for nth in 0..programs {
        let printed = cargo(&folder, &["run", "--config", &url, "--bin", &format!("program{nth}")]);
        if nth == 0 {
            assert_eq!(printed, blocks(&front, "text")[0], "what the page says it prints");
        }
    }
}
