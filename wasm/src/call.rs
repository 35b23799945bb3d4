//! Calls under way.

use redress::breaker::{CallResult, Permit};
use redress::driver::{Call, Decision};
use redress::event::Cause;
use redress::random::Draw;
use redress::{Attempt, Classification, Duration, ErrorClass, Instant, StopReason};

use crate::memory::{place, release};
use crate::strategy::Random;
use crate::{breaker, budget, gate, policy, pool, table};

/// A call, from its admission to its result.
struct Slot {
    call: Call,
    attempt: Attempt,
    policy: *const policy::Slot,
    permit: Option<Permit>,
    breaker: u32,
    budget: u32,
    /// The latest time that is known; the attempt in flight started at it.
    now: Instant,
    /// The longest attempt.
    longest: Duration,
}

/// The success of the call has to be told at its time.
const HEARS: usize = 1;
/// The breaker has just become half-open.
const HALF_OPENED: usize = 2;

/// Begins a call and its first attempt. Slots of breaker and budget are 0 for none; the
/// deadline is the policy's if it is NaN.
/// The address of the call with [`HEARS`] and [`HALF_OPENED`]; 0 if the breaker is not
/// closed, and then [`call_probe`] asks it.
#[unsafe(no_mangle)]
extern "C" fn call_begin(
    policy: *const policy::Slot,
    breaker: u32,
    budget: u32,
    now: f64,
    deadline: f64,
) -> usize {
    if breaker == 0 {
        return begin(policy, None, (0, budget), now, deadline);
    }
    // SAFETY: the package keeps what a call of it uses.
    match unsafe { breaker::at(breaker) }.admit_closed() {
        Some(permit) => begin(policy, Some(permit), (breaker, budget), now, deadline),
        None => 0,
    }
}

/// As [`call_begin`], asking a breaker that is not closed at the time of its clock; 0 if
/// it rejects the call, with the rejection in the table.
#[unsafe(no_mangle)]
extern "C" fn call_probe(
    policy: *const policy::Slot,
    breaker: u32,
    budget: u32,
    now: f64,
    deadline: f64,
    breaker_now: f64,
) -> usize {
    let Some(admitted) = gate::admit(breaker, breaker_now) else { return 0 };
    let call = begin(policy, Some(admitted.permit), (breaker, budget), now, deadline);
    if admitted.half_opened { call | HALF_OPENED } else { call }
}

fn begin(
    policy: *const policy::Slot,
    permit: Option<Permit>,
    (breaker, budget): (u32, u32),
    now: f64,
    deadline: f64,
) -> usize {
    // SAFETY: the package keeps what a call of it uses.
    let (rules, pool) = unsafe { (&*policy, (budget != 0).then(|| budget::at(budget))) };
    if let Some(pool) = pool {
        pool.deposit();
    }
    let now = table::instant(now);
    let mut call = match table::optional(deadline) {
        Some(deadline) => Call::begin_within(&rules.policy, deadline, now),
        None => Call::begin(&rules.policy, now),
    };
    let attempt = call.start(&rules.policy);
    // SAFETY: as above.
    let told = permit.is_some_and(|permit| unsafe { breaker::at(breaker) }.counts_success(&permit));
    let longest = Duration::ZERO;
    let slot = Slot { call, attempt, policy, permit, breaker, budget, now, longest };
    place(slot) as usize | if told || rules.listens { HEARS } else { 0 }
}

/// Starts the next attempt; false if the breaker has opened meanwhile, and the call asks.
#[unsafe(no_mangle)]
extern "C" fn call_start(slot: *mut Slot) -> bool {
    // SAFETY: the package hands in a call that it has not ended.
    let slot = unsafe { &mut *slot };
    if let Some(permit) = slot.permit
        && permit.wants_check()
        // SAFETY: the package keeps what a call of it uses.
        && !unsafe { breaker::at(slot.breaker) }.still_admits(permit)
    {
        return false;
    }
    // SAFETY: as above.
    slot.attempt = slot.call.start(unsafe { &(*slot.policy).policy });
    true
}

/// What was left of the deadline when the attempt started; infinity without one.
#[unsafe(no_mangle)]
extern "C" fn call_remaining(slot: *const Slot) -> f64 {
    // SAFETY: as above.
    table::millis(unsafe { (*slot).attempt.remaining })
}

/// What is left of the deadline at `now`; infinity without one.
#[unsafe(no_mangle)]
extern "C" fn call_remaining_at(slot: *const Slot, now: f64) -> f64 {
    // SAFETY: as above.
    table::millis(unsafe { (*slot).call.remaining(table::instant(now)) })
}

/// How long the attempt may take, by the deadline, too; infinity without a limit.
#[unsafe(no_mangle)]
extern "C" fn call_timeout(slot: *const Slot) -> f64 {
    // SAFETY: as above.
    table::millis(unsafe { (*slot).attempt.timeout })
}

/// The class of the latest failure, which is another than was told if the attempt was
/// late.
#[unsafe(no_mangle)]
extern "C" fn call_class(slot: *const Slot) -> u32 {
    // SAFETY: as above.
    let last = unsafe { (*slot).call.last() };
    last.map_or(ErrorClass::Unknown, |(class, _)| class) as u32
}

/// A retry follows a failure: the budget has granted it.
const RETRY: u32 = 0;
/// The delay does not fit before the deadline.
const TOO_LONG: u32 = 1;
/// The call stops: reasons by their numbers are from here on.
const FIRST_REASON: u32 = 2;

/// The attempt has failed, by an error (`how` is 0), by a value (1), or because the package has
/// ended it at its time (2): [`RETRY`], [`TOO_LONG`], or a reason from [`FIRST_REASON`] on. The
/// budget is asked at the time of its own clock unless that is NaN. In the table are the delay
/// in milliseconds and the new state of a breaker that the hint has opened plus 1, else 0.
#[unsafe(no_mangle)]
extern "C" fn call_fail(
    slot: *mut Slot,
    now: f64,
    class: u32,
    how: u32,
    retry_after: f64,
    budget_now: f64,
    breaker_now: f64,
) -> u32 {
    let now = table::instant(now);
    // A copy is worked on: what a strategy in JavaScript does meanwhile may reach the call.
    // SAFETY: the package hands in a call that it has not ended.
    let (mut call, policy, budget, permit, breaker) = unsafe {
        let slot = &mut *slot;
        slot.longest = slot.longest.max(now.since(slot.now));
        slot.now = now;
        (slot.call, &(*slot.policy).policy, slot.budget, slot.permit, slot.breaker)
    };
    let mut classification = Classification::new(table::class(class));
    classification.retry_after = table::optional(retry_after);
    let cause = if how == 1 { Cause::Result } else { Cause::Exception };
    let purse = pool::Purse { slot: budget, now: budget_now };
    let decision = if how == 2 {
        call.cut(policy, now, &mut Random, &purse)
    } else {
        call.fail(policy, now, &classification, cause, &mut Random, &purse)
    };
    // SAFETY: as above; the package ends no call while it fails.
    unsafe { (*slot).call = call };
    let held = match (call.last(), classification.retry_after, permit) {
        (Some((ErrorClass::RateLimit | ErrorClass::ServerError, _)), Some(hint), Some(permit))
            if permit.wants_hints() =>
        {
            // SAFETY: the package keeps what a call of it uses.
            unsafe { breaker::at(breaker) }.hold(permit, hint, table::instant(breaker_now))
        }
        _ => None,
    };
    table::set(0, table::millis(decision.delay()));
    table::set(1, f64::from(gate::changed(held)));
    match decision {
        Decision::Retry { .. } => RETRY,
        Decision::TooLong { .. } => TOO_LONG,
        Decision::Stop(reason) => FIRST_REASON + reason as u32,
    }
}

/// The retry that was decided is deferred: the number of the reason for which the call ends.
#[unsafe(no_mangle)]
extern "C" fn call_defer(slot: *mut Slot, budget_now: f64) -> u32 {
    // SAFETY: the package hands in a call that it has not ended.
    let slot = unsafe { &mut *slot };
    let purse = pool::Purse { slot: slot.budget, now: budget_now };
    slot.call.defer(&purse) as u32
}

/// The delay after which to go on with a call that stops for a reason by its number; NaN for
/// none.
#[unsafe(no_mangle)]
extern "C" fn call_next_sleep(slot: *const Slot, reason: u32) -> f64 {
    // SAFETY: as above.
    let call = unsafe { &(*slot).call };
    call.next_sleep(numbered(reason)).map_or(f64::NAN, table::millis)
}

fn numbered(reason: u32) -> StopReason {
    StopReason::ALL.get(reason as usize).copied().unwrap_or(StopReason::Aborted)
}

/// The delay is over; whether there is time for another attempt.
#[unsafe(no_mangle)]
extern "C" fn call_woke(slot: *mut Slot, now: f64) -> bool {
    // SAFETY: the package hands in a call that it has not ended.
    let slot = unsafe { &mut *slot };
    slot.now = table::instant(now);
    slot.call.on_wake(slot.now).is_ok()
}

/// Ends a call that succeeded. Both times may be NaN if [`call_begin`] did not say
/// [`HEARS`]. The new state of the breaker plus 1, 0 if it is the old one.
#[unsafe(no_mangle)]
extern "C" fn call_succeed(slot: *mut Slot, now: f64, breaker_now: f64) -> u32 {
    // SAFETY: the package hands in a call that it has not ended, and forgets it now.
    let ended = unsafe { &mut *slot };
    if !now.is_nan() {
        let now = table::instant(now);
        ended.longest = ended.longest.max(now.since(ended.now));
        // SAFETY: the package keeps what a call of it uses.
        let rules = unsafe { &*ended.policy };
        if rules.listens {
            ended.call.succeed(&rules.policy, now);
        }
    }
    let heard = !breaker_now.is_nan();
    end(slot, if heard { Some(CallResult::Success) } else { None }, breaker_now)
}

/// Ends a call that did not succeed, for a reason by its number. The new state of the breaker
/// plus 1, 0 if it is the old one; and from bit 2 on the class that the breaker counts plus 1,
/// 0 if the call was cancelled for it.
#[unsafe(no_mangle)]
extern "C" fn call_stop(slot: *mut Slot, reason: u32, breaker_now: f64) -> u32 {
    // SAFETY: as above.
    let counted = unsafe { (*slot).call.counted_failure(numbered(reason)) };
    let result = counted.map_or(CallResult::Cancelled, CallResult::Failure);
    end(slot, Some(result), breaker_now) | counted.map_or(0, |class| class as u32 + 1) << 2
}

fn end(slot: *mut Slot, result: Option<CallResult>, breaker_now: f64) -> u32 {
    // SAFETY: as above.
    let (permit, breaker, longest) = unsafe {
        let slot = &*slot;
        (slot.permit, slot.breaker, slot.longest)
    };
    release(slot.cast());
    let (Some(permit), Some(result)) = (permit, result) else { return 0 };
    let draws = permit.wants_random() && result != CallResult::Cancelled;
    let random = if draws { Random.draw().unwrap_or(0) } else { 0 };
    // SAFETY: the package keeps what a call of it uses.
    let breaker = unsafe { breaker::at(breaker) };
    gate::changed(breaker.settle(permit, result, longest, random, table::instant(breaker_now)))
}
