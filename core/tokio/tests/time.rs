//! Calls on tokio's clock, which these tests pause.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use redress::{Backoff, Clock, Duration, Error, Last, Policy, StopReason, policy};
use redress_tokio::{OnTokio, TokioTime};

const HOURLY: Policy = policy! {
    Policy::builder()
        .max_attempts(4)
        .no_deadline()
        .backoff(Backoff::constant(Duration::from_secs(3_600)))
};

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

#[tokio::test(start_paused = true)]
async fn delays_pass_on_the_paused_clock() {
    let began = TokioTime.now();
    let outcome = HOURLY.on_tokio().execute_async(async |_| Err::<(), _>(reset())).await;
    assert_eq!((outcome.attempts, outcome.elapsed.as_secs()), (4, 3 * 3_600));
    assert_eq!(TokioTime.now().since(began).as_secs(), 3 * 3_600);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_paused_before_the_first_reading_goes_on() {
    // Other tests have moved their own clocks ahead of this one by hours.
    let first = TokioTime.now();
    tokio::time::advance(std::time::Duration::from_secs(5)).await;
    assert_eq!(TokioTime.now().since(first), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_an_attempt_that_hangs() {
    const LIMITED: Policy = policy! {
        Policy::builder()
            .deadline(Duration::from_secs(10))
            .attempt_timeout(Duration::from_secs(4))
            .backoff(Backoff::constant(Duration::from_secs(1)))
    };
    let mut retry = LIMITED.on_tokio();
    let outcome =
        retry.execute_async(async |_| std::future::pending::<io::Result<()>>().await).await;
    let Err(Error::Exhausted(stopped)) = outcome.result else { panic!("it hangs") };
    assert_eq!(stopped.stop_reason, StopReason::DeadlineExceeded);
    assert!(matches!(stopped.last, Some(Last::Timeout)));
    assert_eq!((stopped.attempts, outcome.elapsed), (2, Duration::from_secs(9)));
}

#[tokio::test(start_paused = true, flavor = "current_thread")]
async fn a_spawned_call_that_is_aborted_stops() {
    let attempts = Arc::new(AtomicU32::new(0));
    let counter = attempts.clone();
    let task = tokio::spawn(async move {
        let mut retry = HOURLY.on_tokio();
        let operation = |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            async { Err::<(), _>(reset()) }
        };
        retry.call_future(operation).await
    });
    tokio::time::sleep(std::time::Duration::from_secs(3_601)).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    tokio::time::sleep(std::time::Duration::from_hours(10)).await;
    assert_eq!(attempts.load(Ordering::Relaxed), 2);
}
