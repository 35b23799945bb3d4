//! A store in memory with a time of its own, for what no real server shows at will: its time, when
//! other processes write, and when it cannot be reached.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redress_tokio::shared::{Store, Stored};

#[derive(Clone)]
pub(crate) struct Memory(Arc<Mutex<State>>);

pub(crate) struct State {
    /// Its time, in microseconds.
    pub(crate) us: u64,
    pub(crate) values: HashMap<String, (String, String)>,
    pub(crate) reads: u32,
    pub(crate) writes: u32,
    /// So many writings meet that of another process.
    pub(crate) conflicts: u32,
    pub(crate) fault: Option<Fault>,
}

impl State {
    /// How often it was read and written.
    pub(crate) fn asked(&self) -> (u32, u32) {
        (self.reads, self.writes)
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    Refuses,
    Hangs,
    /// It writes, and does not answer.
    LosesAnswers,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            us: 1_800_000_000_000_000,
            values: HashMap::new(),
            reads: 0,
            writes: 0,
            conflicts: 0,
            fault: None,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn advance_ms(&self, ms: u64) {
        self.state().us += 1_000 * ms;
    }

    async fn fault(&self, at: &[Fault]) -> Result<(), io::Error> {
        // As a real store, it does not answer at the first poll.
        tokio::task::yield_now().await;
        let fault = self.state().fault.filter(|fault| at.contains(fault));
        match fault {
            None => Ok(()),
            Some(Fault::Refuses) => Err(io::ErrorKind::ConnectionRefused.into()),
            Some(_) => match std::future::pending::<Infallible>().await {},
        }
    }
}

impl Store for Memory {
    type Error = io::Error;

    async fn read(&self, key: &str) -> Result<Stored, io::Error> {
        self.fault(&[Fault::Refuses, Fault::Hangs]).await?;
        let mut state = self.state();
        state.reads += 1;
        let (version, value) = state.values.get(key).cloned().unwrap_or_default();
        Ok(Stored { version, value, now_us: state.us })
    }

    async fn write(
        &self,
        key: &str,
        version: &str,
        next: &str,
        value: &str,
    ) -> Result<bool, io::Error> {
        self.fault(&[Fault::Refuses, Fault::Hangs]).await?;
        let is_written = {
            let mut state = self.state();
            state.writes += 1;
            let entry = state.values.get(key).cloned().unwrap_or_default();
            if state.conflicts > 0 {
                state.conflicts -= 1;
                let other = format!("other {}", state.conflicts);
                state.values.insert(key.into(), (other, entry.1));
                return Ok(false);
            }
            let is_same = entry.0 == version;
            if is_same {
                state.values.insert(key.into(), (next.into(), value.into()));
            }
            is_same
        };
        self.fault(&[Fault::LosesAnswers]).await?;
        Ok(is_written)
    }
}
