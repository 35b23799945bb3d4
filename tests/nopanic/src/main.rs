//! An image that uses every entry point of redress and links only if no panic is
//! left in it: the panic handler calls a function that does not exist.
//!
//! The asynchronous driver is not in it: into every future the compiler puts a panic of its
//! own, for one that is polled after its end.

#![no_std]
#![no_main]

mod adapter;

use core::cell::{Cell, RefCell};
use core::hint::black_box;

use redress::backoff::{AdaptiveConfig, BackoffContext, Memory, Strategy};
use redress::breaker::{CallResult, FailureTimes, LastOutcomes, TimeSlices};
use redress::budget::{Budget, Limit, Limited, LimiterConfig, Pool, RatioConfig, RollingConfig};
use redress::classify::{self, ClassSet, Facts, Verdict};
use redress::driver::{Call, SleepDecision, Steps};
use redress::event::Timeline;
use redress::lint::Lint;
use redress::random::{NoRandom, from_fn};
use redress::session::SessionConfig;
use redress::snapshot::{Progress, Snapshot};
use redress::time::{Sleep, Widened};
use redress::{
    Backoff, Breaker, BreakerConfig, Classification, Clock, Duration, ErrorClass, Instant, Keyed,
    Policy, RateLimiter, RatioBudget, RollingBudget, by_key,
};

unsafe extern "C" {
    fn a_panic_is_left() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: nothing ever runs this: the image does not link if it is reachable.
    unsafe { a_panic_is_left() }
}

/// What the documentation says of sizes on 32 bits.
const _: () = {
    assert!(size_of::<Breaker<FailureTimes<5>>>() == 64);
    assert!(size_of::<Breaker<LastOutcomes<4>>>() == 40);
    assert!(size_of::<RatioBudget>() == 24);
    assert!(size_of::<RollingBudget<16>>() == 136);
    assert!(size_of::<Call>() == 56);
    assert!(size_of::<Policy>() == 408);
};

struct Time(Cell<u64>);

impl Clock for &Time {
    fn now(&self) -> Instant {
        Instant::from_micros(black_box(self.0.get()))
    }
}

impl Sleep for &Time {
    fn sleep(&mut self, span: Duration) {
        self.0.set(self.0.get().wrapping_add(span.as_micros()));
    }
}

/// A value that the compiler knows nothing about.
fn any<T: From<u8>>() -> T {
    T::from(black_box(7))
}

fn span() -> Duration {
    Duration::from_micros(black_box(1_000_000))
}

static STEPS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(9)];
static SLOW: Backoff = Backoff::equal_jitter(Duration::from_millis(1), Duration::from_secs(1));

struct Careful;

impl Strategy for Careful {
    fn delay(
        &self,
        _: &BackoffContext,
        random: &mut dyn redress::random::Draw,
    ) -> Option<Duration> {
        let adaptive = AdaptiveConfig::new(SLOW).window(span()).build().ok()?;
        // A memory of its own for each delay: what counts is that all of it is linked.
        let adaptive = adaptive.memory(Unshared(RefCell::new(Memory::<9>::new())));
        adaptive.record(Instant::from_micros(any()), false);
        adaptive.delay(&BackoffContext::new(any(), ErrorClass::Transient), random)
    }
}

/// One thread is all there is.
struct Unshared<T>(RefCell<T>);

// SAFETY: the image has one thread, and nothing runs it.
unsafe impl<T> Sync for Unshared<T> {}

impl<T> redress::Shared for Unshared<T> {
    type Item = T;

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.with(f)
    }
}

fn strategies() -> [Backoff; 12] {
    let (base, max) = (span(), span());
    [
        Backoff::constant(base),
        Backoff::exponential(base, max),
        Backoff::exponential_by(base, max, any()),
        Backoff::fibonacci(base, max),
        Backoff::sequence(&STEPS),
        Backoff::full_jitter(base, max),
        Backoff::equal_jitter(base, max),
        Backoff::decorrelated_jitter(base, max),
        Backoff::token_backoff(base, max),
        Backoff::retry_after_or(&SLOW, base),
        Backoff::short(|n, _, previous| (n > 1).then_some(previous)),
        Backoff::own(&Careful),
    ]
}

fn class() -> ErrorClass {
    *ErrorClass::ALL.get(usize::from(any::<u8>())).unwrap_or(&ErrorClass::Transient)
}

fn policy() -> Option<Policy> {
    let mut config = Policy::builder()
        .max_attempts(any())
        .deadline(span())
        .attempt_timeout(span())
        .max_unknown_attempts(any())
        .max_attempts_for(class(), any());
    for backoff in strategies() {
        config = config.backoff(backoff).backoff_for(class(), backoff);
    }
    config.lint(&mut |finding| {
        black_box(finding);
    });
    config.build().ok()
}

fn operation() -> Result<u32, u32> {
    let value: u32 = any();
    if value > 3 { Ok(value) } else { Err(value) }
}

fn calls() -> Option<()> {
    let policy = policy()?;
    let time = Time(Cell::new(0));
    let failures = BreakerConfig::failures(any(), span())
        .trip_on(ClassSet::of(&[class()]))
        .class_threshold(class(), any())
        .recovery_timeout(span())
        .recovery_growth_to(span())
        .half_open_permits(any())
        .successes_to_close(any())
        .lease(span());
    let breaker = RefCell::new(Breaker::<FailureTimes<9>, 3, _>::new(&failures).ok()?);
    let ratio = RatioConfig::new(any()).initial(any()).floor_per_sec(any()).limit(any());
    let budget = RefCell::new(RatioBudget::new(&ratio).ok()?);
    let rolling = RollingConfig::new(any(), span());
    (policy, &failures, &rolling).lint(&mut |finding| {
        black_box(finding);
    });
    let mut timeline = Timeline::<4>::new();
    let mut seed: u32 = any();
    let mut retry = policy
        .on(
            &time,
            from_fn(|| {
                seed = seed.rotate_left(5) ^ 77;
                seed
            }),
        )
        .classify(|error: &u32| if *error > 1 { Verdict::Abort } else { class().into() })
        .classify_value(|value: &u32| (*value > 5).then(|| Classification::new(class())))
        .breaker(&breaker)
        .budget(&budget)
        .observer(&mut timeline)
        .abort_if(|| any::<u32>() > 4)
        .sleep_handler(
            |_, delay| if delay > span() { SleepDecision::Defer } else { SleepDecision::Sleep },
        )
        .before_sleep(|_, delay| {
            black_box(delay);
        })
        .operation("operation");
    black_box(retry.call(|_| operation()).is_ok());
    black_box(
        retry
            .execute(|attempt| {
                black_box(attempt);
                operation()
            })
            .stop_reason(),
    );
    let suspended = {
        let mut steps = retry.begin().ok()?;
        black_box(steps.start().ok());
        black_box(steps.fail(class()));
        black_box(steps.fail_by_value(class()));
        black_box(steps.on_sleep_decision(SleepDecision::Defer));
        black_box(steps.on_wake().is_ok());
        steps.succeed();
        steps.suspend().ok()?
    };
    let (bytes, at) = (black_box(suspended).bytes, suspended.at);
    if let Ok(resumed) = retry.resume(&bytes, at, Some(span())) {
        black_box(matches!(
            resumed.call_or_suspend(span(), |_| operation()),
            Progress::Suspended(_)
        ));
    }
    black_box(matches!(retry.call_or_suspend(span(), |_| operation()), Progress::Suspended(_)));
    let config = SessionConfig::new().healthy_after(span()).spread(span()).pause(span());
    let session = retry.session(config).on_state(|state| {
        black_box(state);
    });
    let ended = session.run(|attempt, link| {
        black_box(attempt);
        link.up();
        operation()
    });
    black_box(ended.is_ok());
    {
        let mut steps = retry.session_steps(config);
        black_box(steps.next().ok());
        steps.cut();
        black_box(steps.next().ok());
        steps.up();
        black_box((steps.check(), steps.state()));
        steps.broke(class());
        steps.close();
    }
    fn size<X: redress::driver::Parts>(_: &Steps<'_, '_, X>) {}
    size(&retry.begin().ok()?);
    black_box(timeline.entries().len());
    Some(())
}

fn machines() -> Option<()> {
    let now = Instant::from_micros(any());
    let mut bytes = [0; 512];

    let outcomes = BreakerConfig::outcomes(any(), any(), any()).lease(span());
    let mut breaker = Breaker::<LastOutcomes<4>, 1, _>::new(&outcomes).ok()?;
    let admitted = breaker.admit(now).ok()?;
    black_box(breaker.settle(admitted.permit, CallResult::Failure(class()), now));
    black_box(breaker.snapshot(now, &mut bytes).ok());
    black_box(breaker.restore(&bytes, now, Some(span())).ok());

    let slices = BreakerConfig::slices(span(), any(), any()).slow_calls(span(), any());
    (Some(&slices), &outcomes).lint(&mut |finding| {
        black_box(finding);
    });
    let mut breaker = Breaker::<TimeSlices<6>, 2, _>::new(&slices).ok()?;
    let admitted = breaker.admit(now).ok()?;
    black_box(breaker.settle_timed(admitted.permit, CallResult::Success, span(), 0, now));
    black_box(breaker.check(now));
    black_box(breaker.snapshot(now, &mut bytes).ok());
    black_box(breaker.restore(&bytes, now, None).ok());
    breaker.isolate();
    breaker.reset();
    breaker.cancel(admitted.permit);

    let config = BreakerConfig::failures(any(), span());
    let mut breaker = Breaker::<FailureTimes<5>, 1, _>::new(&config).ok()?;
    black_box(breaker.snapshot(now, &mut bytes).ok());
    black_box(breaker.restore(&bytes, now, None).ok());
    let keyed = RefCell::new(Keyed::<u32, _, 4>::new(breaker));
    let time = Time(Cell::new(0));
    let counter = Widened::new(|| black_box(7), any()).bits(any()).shifted(any());
    black_box(counter.now());
    let rolling = RollingConfig::new(any(), span());
    let mut budget = RollingBudget::<9, _>::new(&rolling).ok()?;
    black_box(budget.consume(any(), now));
    black_box(budget.remaining(now));
    black_box(budget.snapshot(now, &mut bytes).ok());
    black_box(budget.restore(&bytes, now, None).ok());
    let ratio = RatioConfig::new(any()).initial(any()).floor_per_sec(any()).limit(any());
    let mut tokens = RatioBudget::new(&ratio).ok()?;
    black_box(ratio_remaining(&tokens, now));
    let limits =
        LimiterConfig::new().window(any(), span()).phase(any(), span()).window(any(), span());
    limits.lint(&mut |finding| {
        black_box(finding);
    });
    let mut limiter = RateLimiter::<5, _>::new(&limits).ok()?;
    black_box(limiter.acquire(any(), now).is_ok());
    black_box(limiter.available(now));
    black_box(limiter.snapshot(now, &mut bytes).ok());
    black_box(limiter.restore(&bytes, now, None).ok());
    let limiters = RefCell::new(Keyed::<u32, _, 4>::new(limiter));
    let pool = Limited::new((), by_key(&limiters, any())).cost(|number| number ^ any::<u32>());
    black_box(pool.attempt(now, any()));
    black_box(tokens.snapshot(now, &mut bytes).ok());
    black_box(tokens.restore(&bytes, now, None).ok());
    let budgets = RefCell::new(Keyed::<u32, _, 4>::new(budget));
    let policy = Policy::once();
    let mut retry = policy
        .on(&time, NoRandom)
        .classify(|_: &u32| class())
        .breaker(by_key(&keyed, any()))
        .budget(by_key(&budgets, any()));
    black_box(retry.call(|_| operation()).is_ok());

    let mut call = Call::begin(&policy, now);
    black_box(call.start(&policy));
    black_box(call.on_wake(now).is_ok());
    call.succeed(&policy, now);
    Some(())
}

/// Apart, as it divides.
#[inline(never)]
fn ratio_remaining(tokens: &RatioBudget<&RatioConfig>, now: Instant) -> u32 {
    tokens.remaining(now)
}

fn classifiers(text: &'static str) {
    let number = i64::from(any::<u8>());
    let args = [number];
    let facts = Facts {
        name: text,
        status: Some(number),
        code: Some(number),
        args: &args,
        message: text,
        sqlstate: text,
        retry_after_header: Some(text),
        now_unix_secs: number,
        grpc: Some(text),
        aws: Some(classify::AwsError { code: text, status: Some(number) }),
        library: classify::Library::Redis,
        ..Facts::NONE
    };
    let all = [
        classify::default,
        classify::strict,
        classify::http,
        classify::http_retry_after,
        classify::sqlstate,
        classify::odbc,
        classify::grpc,
        classify::aws,
        classify::redis,
    ];
    let headers = [("Retry-After", text), ("X-RateLimit-Reset", text), (text, text)];
    for classify in all {
        black_box(classify(&facts.with_headers(headers)));
    }
    black_box((classify::system_code(text), classify::dom_exception(text)));
    black_box(classify::connection_message(text));
    black_box(classify::http_response(any(), Some(text), number));
    black_box(classify::http_response_headers(any(), headers, number));
}

/// The tables of codes and texts.
fn tables(text: &'static str) {
    black_box((classify::redis_message(text), classify::redis_exec(text, text)));
    black_box((classify::grpc_code(any(), text), classify::grpc_name(text, text)));
    black_box((classify::mysql_code(any(), text, text), classify::mysql_name(text)));
    black_box((classify::mssql_code(any()), classify::mssql_name(text)));
    black_box((classify::sqlite_code(any()), classify::sqlite_name(text)));
    black_box(classify::mongodb_error(Some(any()), [text], text));
    black_box((classify::prisma_code(text, text), classify::sqlstate_code(text)));
    black_box((classify::kafka_code(any(), None), classify::kafka_name(text, Some(true))));
    black_box((classify::amqp_code(any()), classify::nats_code(text)));
    black_box((classify::mqtt5_code(any()), classify::mqtt3_code(any())));
    black_box((classify::coap_code(any()), classify::smtp_code(any())));
    black_box((classify::http2_reset(any()), classify::http2_goaway(any())));
    black_box((classify::dns_code(text), classify::dns_message(text), classify::tls_code(text)));
    black_box((classify::llm_code(text), classify::abort_name(text)));
}

/// An error with a text.
struct Noise;

impl core::fmt::Display for Noise {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("noise on the bus")
    }
}

/// A call whose events have the text of its error where the feature `texts` asks for it.
fn texts() -> bool {
    const CALLS: Policy = match Policy::builder().backoff(Backoff::constant(Duration::ZERO)).build()
    {
        Ok(policy) => policy,
        Err(_) => panic!(),
    };
    let time = Time(Cell::new(any::<u32>().into()));
    let retry = CALLS
        .on(&time, NoRandom)
        .classify(|_: &Noise| class())
        .on_event(|event| _ = black_box(event.text));
    #[cfg(feature = "texts")]
    let retry = retry.show_errors();
    let mut retry = retry;
    retry.call(|_| if any::<u32>() > 5 { Err(Noise) } else { Ok(()) }).is_ok()
}

/// Where the image begins, and all that it uses.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    black_box(calls());
    black_box(machines());
    black_box(adapter::adapter());
    black_box(texts());
    classifiers(black_box("Thu, 15 Jan 2026 12:00:05 GMT"));
    tables(black_box("EXECABORT Transaction discarded"));
    if cfg!(feature = "canary") {
        black_box(STEPS[black_box(2)]);
    }
    loop {
        core::hint::spin_loop();
    }
}
