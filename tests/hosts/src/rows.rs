//! Each row: what a client returned, its class, and the class that is wanted.

use std::error::Error;
use std::fmt::{self, Debug, Write as _};
use std::path::Path;

use redress::classify::{Classification, Verdict};
use redress::{Duration, ErrorClass};
use redress_tokio::classify;

use crate::Failure;

pub(crate) const AUTH: Want = Want::class(ErrorClass::Auth);
pub(crate) const CONCURRENCY: Want = Want::class(ErrorClass::Concurrency);
pub(crate) const PERMANENT: Want = Want::class(ErrorClass::Permanent);
pub(crate) const PERMISSION: Want = Want::class(ErrorClass::Permission);
pub(crate) const RATE_LIMIT: Want = Want::class(ErrorClass::RateLimit);
pub(crate) const SERVER_ERROR: Want = Want::class(ErrorClass::ServerError);
pub(crate) const TRANSIENT: Want = Want::class(ErrorClass::Transient);
pub(crate) const UNKNOWN: Want = Want::class(ErrorClass::Unknown);
pub(crate) const ABORT: Want = Want { class: None, hint: Hint::None };

/// The class and the hint that a row is to have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    /// `None` for [`Verdict::Abort`].
    class: Option<ErrorClass>,
    hint: Hint,
}

#[derive(Clone, Copy, Debug)]
enum Hint {
    None,
    Exactly(Duration),
    /// At most so long, and not a minute less: the server sent a date.
    About(Duration),
}

impl Want {
    const fn class(class: ErrorClass) -> Self {
        Self { class: Some(class), hint: Hint::None }
    }

    pub(crate) const fn after_secs(self, secs: u64) -> Self {
        self.after_millis(secs * 1_000)
    }

    pub(crate) const fn after_millis(mut self, millis: u64) -> Self {
        self.hint = Hint::Exactly(Duration::from_millis(millis));
        self
    }

    pub(crate) const fn about_secs(mut self, secs: u64) -> Self {
        self.hint = Hint::About(Duration::from_secs(secs));
        self
    }

    fn is(&self, verdict: Verdict) -> bool {
        let (class, hint) = match verdict {
            Verdict::Abort => (None, None),
            Verdict::Failure(found) => (Some(found.class), found.retry_after),
        };
        let minute = Duration::from_secs(60);
        let is_hinted = match (self.hint, hint) {
            (Hint::None, None) => true,
            (Hint::Exactly(wanted), Some(hint)) => wanted == hint,
            (Hint::About(wanted), Some(hint)) => {
                hint <= wanted && wanted <= hint.saturating_add(minute)
            }
            _ => false,
        };
        class == self.class && is_hinted
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class {
            None => f.write_str("ABORTED | "),
            Some(class) => match self.hint {
                Hint::None => write!(f, "{class} | "),
                Hint::Exactly(hint) => write!(f, "{class} | {} ms", hint.as_micros() / 1_000),
                Hint::About(_) => write!(f, "{class} | to that date"),
            },
        }
    }
}

/// The error of a program around that of its client.
#[derive(Debug)]
struct Outer<E>(E);

impl<E> fmt::Display for Outer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the program's own error")
    }
}

impl<E: Error + 'static> Error for Outer<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The rows so far.
pub(crate) struct Rows {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    verbose: bool,
    /// The client of the last row.
    client: &'static str,
    table: String,
}

impl Rows {
    pub(crate) fn new(verbose: bool) -> Self {
        Self { passed: 0, failed: 0, verbose, client: "", table: String::new() }
    }

    /// A row for an error, which is to have this class by the client's own function and by
    /// [`classify::error`], alone and within another error.
    pub(crate) fn error<T, E: Error + 'static>(
        &mut self,
        client: &'static str,
        fault: &str,
        want: Want,
        result: Result<T, E>,
        own: impl Fn(&E) -> Verdict,
    ) {
        let Err(error) = result else { return self.no_error(client, fault, want) };
        let outer = Outer(error);
        let error = &outer.0;
        for (way, other) in [
            ("classify::error", classify::error(error)),
            ("classify::error of another error around it", classify::error(&outer)),
        ] {
            if !want.is(other) {
                return self.fail(client, fault, want, error, &format!("{other:?} by {way}"));
            }
        }
        self.verdict(client, fault, want, error, own(error));
    }

    /// A row for anything that a client returned, with the verdict on it.
    pub(crate) fn verdict(
        &mut self,
        client: &'static str,
        fault: &str,
        want: Want,
        returned: &dyn Debug,
        verdict: Verdict,
    ) {
        if !want.is(verdict) {
            return self.fail(client, fault, want, returned, &format!("{verdict:?}"));
        }
        if self.verbose {
            println!("ok {client}, {fault}: {want}\n   {returned:?}");
        }
        self.passed += 1;
        self.note(client, fault, want);
    }

    /// As [`verdict`](Self::verdict), for a response; `None` is a success.
    pub(crate) fn response(
        &mut self,
        client: &'static str,
        fault: &str,
        want: Want,
        returned: &dyn Debug,
        class: Option<Classification>,
    ) {
        match class {
            Some(class) => self.verdict(client, fault, want, returned, class.into()),
            None => self.fail(client, fault, want, returned, "a success"),
        }
    }

    pub(crate) fn no_error(&mut self, client: &'static str, fault: &str, want: Want) {
        self.fail(client, fault, want, &"no error", "no error");
    }

    fn fail(
        &mut self,
        client: &'static str,
        fault: &str,
        want: Want,
        returned: &dyn Debug,
        got: &str,
    ) {
        println!(
            "FAILED {client}, {fault}\n   error:  {returned:?}\n   got:    {got}\n   wanted: {want}"
        );
        self.failed += 1;
        self.note(client, fault, want);
    }

    fn note(&mut self, client: &'static str, fault: &str, want: Want) {
        if self.client != client {
            self.client = client;
            let head = "| fault | class | hint |\n| --- | --- | --- |";
            let _ = write!(self.table, "\n## {client}\n\n{head}\n");
        }
        let _ = writeln!(self.table, "| {fault} | {want} |");
    }

    /// Writes TABLE.md, or compares it.
    pub(crate) fn table(&self, write: bool) -> Result<(), Failure> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("TABLE.md");
        let text = format!(
            "# What real Rust clients return\n\n\
             Printed by `cargo run -p redress-hosts -- --write`. Each row is a failure that was \
             provoked, and the class that\nthe client's function in `redress_tokio::classify` gives \
             the error that the client returned.\n\n{} rows.\n{}",
            self.passed + self.failed,
            self.table
        );
        if write {
            return Ok(std::fs::write(path, text)?);
        }
        if std::fs::read_to_string(path)? == text {
            return Ok(());
        }
        Err("it differs from this run: `cargo run -p redress-hosts -- --write` writes it anew"
            .into())
    }
}
