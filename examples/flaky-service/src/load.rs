//! The load that both ways of calling get: [`Load`], so many callers that each make
//! so many calls at a steady pace.

use std::future::Future;
use std::time::Duration;

use reqwest::Url;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::service;

/// What is called.
#[derive(Clone, Debug)]
pub enum Target {
    /// A [`FlakyService`](crate::service::FlakyService) at this base: mostly a path
    /// that exists, sometimes one that does not, sometimes one that needs credentials.
    Scripted(Url),
    /// This address, always.
    Own(Url),
}

/// One call to make.
#[derive(Clone, Debug)]
pub struct Errand {
    /// Who makes it, from 0.
    pub caller: u32,
    /// Where it goes.
    pub url: Url,
    /// Its name in events: method and path, without what follows a `?`.
    pub operation: String,
}

/// So many callers, each making so many calls, spread evenly over a span of time.
#[derive(Clone, Debug)]
pub struct Load {
    /// What they call.
    pub target: Target,
    /// How many callers there are.
    pub callers: u32,
    /// How many calls each of them makes.
    pub calls: u32,
    /// The time over which a caller's calls are spread, if none takes longer than its
    /// share; one that does puts the others off.
    pub span: Duration,
    /// When the load is over at the latest. Calls that are not finished by then are
    /// dropped.
    pub limit: Duration,
}

impl Load {
    /// How many calls there are in all.
    pub const fn total(&self) -> u32 {
        self.callers * self.calls
    }

    /// Makes all the calls with `call`, and says how long it took; the span starts now.
    pub async fn run<C, F>(&self, call: C) -> Duration
    where
        C: Fn(Errand) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let begun = Instant::now();
        let mut callers = JoinSet::new();
        for caller in 0..self.callers {
            callers.spawn(self.clone().caller(caller, begun, call.clone()));
        }
        let all = async { while callers.join_next().await.is_some() {} };
        // Dropping the set at the limit drops the calls in flight.
        let _ = timeout_at(begun + self.limit, all).await;
        begun.elapsed()
    }

    async fn caller<C, F>(self, caller: u32, begun: Instant, call: C)
    where
        C: Fn(Errand) -> F,
        F: Future<Output = ()>,
    {
        let pace = self.span / self.calls;
        // Callers begin one after the other, so that requests come evenly.
        let mut next = begun + pace * caller / self.callers;
        for nth in 0..self.calls {
            sleep_until(next).await;
            next = Instant::now() + pace;
            call(self.errand(caller, nth)).await;
        }
    }

    fn errand(&self, caller: u32, nth: u32) -> Errand {
        let turn = self.callers * nth + caller;
        let url = match &self.target {
            Target::Own(url) => url.clone(),
            Target::Scripted(base) => {
                let mut url = base.clone();
                url.set_path(match turn % 40 {
                    13 => service::MISSING,
                    26 => service::PRIVATE,
                    _ => service::ORDERS,
                });
                url
            }
        };
        let operation = format!("GET {}", url.path());
        Errand { caller, url, operation }
    }
}

/// `16 callers make 50 calls each`
impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} callers make {} calls each", self.callers, self.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_named_without_query_and_credentials() {
        let url = Url::parse("http://me:secret@localhost/orders?token=1#x").unwrap();
        let load = Load {
            target: Target::Own(url),
            callers: 1,
            calls: 1,
            span: Duration::ZERO,
            limit: Duration::ZERO,
        };
        assert_eq!(load.errand(0, 0).operation, "GET /orders");
    }
}
