//! The calls through a retry loop as people write them: so many attempts, a fixed
//! pause, no questions asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::load::Tally;

/// What the loop does between attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// A client of one service.
#[derive(Debug)]
pub struct Naive {
    client: reqwest::Client,
    url: String,
    attempts: u32,
    timeout: Duration,
    tally: Arc<Tally>,
}

impl Naive {
    /// A client of the service at `url` with as many attempts of the same length.
    pub const fn new(
        client: reqwest::Client,
        url: String,
        attempts: u32,
        timeout: Duration,
        tally: Arc<Tally>,
    ) -> Self {
        Self { client, url, attempts, timeout, tally }
    }

    /// Makes one call; says whether it succeeded.
    pub async fn call(self: Arc<Self>, path: &'static str) -> bool {
        let url = format!("{}{path}", self.url);
        for attempt in 1..=self.attempts {
            self.tally.requests.fetch_add(1, Ordering::Relaxed);
            let response = self.client.get(&url).timeout(self.timeout).send().await;
            if response.is_ok_and(|response| response.status().is_success()) {
                return true;
            }
            if attempt < self.attempts {
                tokio::time::sleep(PAUSE).await;
            }
        }
        false
    }
}
