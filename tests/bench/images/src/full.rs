//! The full policy, of which three images are made.

/// An image with the full policy: classes, jitter, breaker, ratio budget, deadline, attempt
/// timeout. It is around each of the operations, whose errors `$status` makes HTTP's.
#[macro_export]
macro_rules! full {
    ($($operation:path: |$error:ident: $of:ty| $status:expr),+ $(,)?) => {
        use core::cell::RefCell;

        use redress::breaker::{FailureRule, FailureTimes};
        use redress::budget::RatioConfig;
        use redress::{classify, policy, settings, Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Policy, RatioBudget, Retry};
        use $crate::{Board, OneThread, output, random};

        const SLOW: Backoff =
            Backoff::equal_jitter(Duration::from_millis(100), Duration::from_secs(5));
        settings! {
            Calls: Policy = policy! {
                Policy::builder()
                    .max_attempts(6)
                    .attempt_timeout(Duration::from_secs(1))
                    .backoff(Backoff::decorrelated_jitter(
                        Duration::from_millis(10),
                        Duration::from_secs(1),
                    ))
                    .backoff_for(ErrorClass::RateLimit, SLOW)
            }
        }
        settings! {
            UpstreamCircuit: BreakerConfig<FailureRule> =
                BreakerConfig::failures(5, Duration::from_secs(60))
        }
        settings! {
            Retries: RatioConfig = RatioConfig::new(100)
        }

        type Upstream = Breaker<FailureTimes<5>, 1, UpstreamCircuit>;

        static BREAKER: OneThread<RefCell<Upstream>> =
            OneThread(RefCell::new(Upstream::fixed(UpstreamCircuit)));
        static BUDGET: OneThread<RefCell<RatioBudget<Retries>>> =
            OneThread(RefCell::new(RatioBudget::fixed(Retries)));

        fn job() {
            $(
                let outcome = Retry::new(Calls, Board, redress::random::from_fn(random))
                    .classify(|$error: &$of| classify::http_status($status))
                    .breaker(&BREAKER.0)
                    .budget(&BUDGET.0)
                    .execute(|_| $operation());
                output(outcome.attempts);
                match outcome.result {
                    Ok(value) => output(value as u32),
                    Err(error) => output(error.into_error().map_or(0, |error| error as u32)),
                }
            )+
        }

        $crate::image!(job);
    };
}
