//! What a preview says, and that the calls which follow do so.

use redress::{Backoff, Duration, ErrorClass, Policy, StopReason};
use redress_tokio::preview::preview;

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn delays_lie_where_the_strategy_puts_them_and_the_same_twice() {
    let policy = Policy::builder().max_attempts(4).backoff(Backoff::full_jitter(MS(100), MS(300)));
    let policy = policy.build().unwrap();
    let shown = preview(&policy);
    assert_eq!(shown, preview(&policy));
    let transient = &shown.classes[ErrorClass::Transient as usize];
    assert_eq!(
        (transient.class, transient.stops),
        (ErrorClass::Transient, StopReason::MaxAttemptsGlobal)
    );
    for (delay, cap) in transient.delays.iter().zip([100, 200, 300]) {
        assert!(delay.min < MS(cap / 100) && delay.max > MS(cap * 98 / 100), "{delay:?}");
        assert!(
            delay.median > MS(cap * 45 / 100) && delay.median < MS(cap * 55 / 100),
            "{delay:?}"
        );
    }
    assert_eq!(transient.delays.len(), 3);
    assert!(shown.classes[ErrorClass::Auth as usize].delays.is_empty());
}

#[test]
fn a_deadline_bounds_the_longest_call() {
    let base = || Policy::builder().max_attempts(3).backoff(Backoff::constant(MS(500)));
    let longest = |policy: Policy| preview(&policy).worst;
    assert_eq!(longest(base().deadline(MS(900)).build().unwrap()), Some(MS(900)));
    let timed = base().no_deadline().attempt_timeout(MS(1_000)).build().unwrap();
    assert_eq!(longest(timed), Some(MS(4_000)));
    assert_eq!(longest(base().no_deadline().build().unwrap()), None);
    let short = preview(&base().deadline(MS(700)).build().unwrap());
    let transient = &short.classes[ErrorClass::Transient as usize];
    assert_eq!((transient.delays.len(), transient.stops), (1, StopReason::DeadlineExceeded));
}

#[test]
fn a_preview_is_a_table() {
    let text = preview(
        &Policy::builder()
            .max_attempts(12)
            .deadline(MS(10_000))
            .attempt_timeout(MS(2_000))
            .backoff(Backoff::exponential(MS(10), MS(40)))
            .max_attempts_for(ErrorClass::RateLimit, 1)
            .build()
            .unwrap(),
    );
    assert_eq!(
        text.to_string(),
        "at most 12 attempts within 10s, each for 2s at most
the longest call takes 10s

class        delays: the median (shortest to longest) of 1001 calls
AUTH         not retried: NON_RETRYABLE_CLASS
PERMISSION   not retried: NON_RETRYABLE_CLASS
PERMANENT    not retried: NON_RETRYABLE_CLASS
CONCURRENCY  0.01s, 0.02s, 0.04s, 0.04s, 0.04s, 0.04s, 0.04s, 0.04s, and 3 more; then MAX_ATTEMPTS_GLOBAL
RATE_LIMIT   0.01s; then MAX_ATTEMPTS_PER_CLASS
SERVER_ERROR 0.01s, 0.02s, 0.04s, 0.04s, 0.04s, 0.04s, 0.04s, 0.04s, and 3 more; then MAX_ATTEMPTS_GLOBAL
TRANSIENT    0.01s, 0.02s, 0.04s, 0.04s, 0.04s, 0.04s, 0.04s, 0.04s, and 3 more; then MAX_ATTEMPTS_GLOBAL
UNKNOWN      0.01s, 0.02s; then MAX_UNKNOWN_ATTEMPTS
"
    );
}
