//! Runs a command whose output is collected, and shows how far it is while it takes long.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often a line shows that a step still runs.
const INTERVAL: Duration = Duration::from_secs(30);

/// As [`Command::output`], with a line every half a minute: how long it has run, and the last
/// line of its output.
pub(crate) fn output(command: &mut Command) -> std::io::Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (lines, said) = channel();
    let stdout = collected(child.stdout.take(), lines.clone());
    let stderr = collected(child.stderr.take(), lines);
    let started = Instant::now();
    let (mut last, mut next) = (String::new(), INTERVAL);
    loop {
        // It ends when both outputs are closed.
        match said.recv_timeout(next.saturating_sub(started.elapsed())) {
            Ok(line) => last = line,
            Err(RecvTimeoutError::Timeout) => {
                let shown: String = last.chars().take(100).collect();
                println!("   .. {} s: {}", started.elapsed().as_secs(), shown.trim());
                next += INTERVAL;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status: ExitStatus = child.wait()?;
    let bytes = |thread: thread::JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    Ok(Output { status, stdout: bytes(stdout), stderr: bytes(stderr) })
}

/// Reads to the end, and passes each line on.
fn collected(
    from: Option<impl Read + Send + 'static>,
    lines: Sender<String>,
) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        let Some(from) = from else { return all };
        let mut from = BufReader::new(from);
        loop {
            let start = all.len();
            match from.read_until(b'\n', &mut all) {
                Ok(0) | Err(_) => return all,
                Ok(_) => {
                    let line = String::from_utf8_lossy(&all[start..]);
                    if !line.trim().is_empty() {
                        // The receiver is there for as long as this thread.
                        let _ = lines.send(line.into_owned());
                    }
                }
            }
        }
    })
}
