//! What most code does: [`call`] tries again after a fixed short sleep, whatever went
//! wrong, as often as it may.

use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::time::{sleep, timeout};

use crate::board::{Board, Ending};
use crate::load::Errand;

/// The sleep between two attempts.
pub const SLEEP: Duration = Duration::from_millis(50);

/// Gets the errand's URL in at most so many attempts of at most `attempt_timeout`,
/// and writes on the board how it went.
pub async fn call(
    client: &Client,
    errand: &Errand,
    attempts: u32,
    attempt_timeout: Duration,
    board: &Board,
) {
    let begun = Instant::now();
    let mut refused = false;
    for number in 1..=attempts {
        if number > 1 {
            sleep(SLEEP).await;
        }
        board.naive(|tally| tally.requests += 1);
        let response = timeout(attempt_timeout, client.get(errand.url.clone()).send()).await;
        refused = match response {
            Ok(Ok(response)) if response.status().as_u16() < 400 => {
                let ending = if number == 1 { Ending::AtOnce } else { Ending::Retried };
                return board.naive(|tally| tally.end(ending, begun.elapsed()));
            }
            Ok(Ok(response)) => matches!(response.status().as_u16(), 400 | 401 | 403 | 404),
            _ => false,
        };
    }
    let ending = if refused { Ending::Refused } else { Ending::Failed };
    board.naive(|tally| tally.end(ending, begun.elapsed()));
}
