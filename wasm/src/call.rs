//! Calls under way.

use redress::breaker::{Admitted, CallResult, Permit};
use redress::driver::{Call, Decision, Deferred};
use redress::event::Cause;
use redress::random::Draw;
use redress::{Attempt, Classification, Duration, ErrorClass, Instant, Policy, StopReason};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::breaker_answer::{self, OUT_OF_MEMORY};
use crate::call_budget::CallBudget;
use crate::memory::{release, reserve};
use crate::settings::{self, whole};
use crate::slot::{Content, adopt, content};
use crate::strategy::Random;
use crate::{breaker_slot, budget_slot, policy, table};

/// A call, from its admission to its result. It refers to nothing: the package hands in its
/// policy, breaker and budget anew each time.
struct Slot {
    call: Call,
    attempt: Attempt,
    permit: Option<Permit>,
    /// The latest time that is known; the attempt in flight started at it.
    now: Instant,
    /// The longest attempt.
    longest: Duration,
    /// Which call it is, of all there ever were.
    number: u32,
}

impl Content for Slot {
    const KIND: u32 = 8;
}

/// The success of the call has to be told at its time.
const SUCCESS_COUNTS: u32 = 1;
/// The breaker has just become half-open.
const HALF_OPENED: u32 = 2;

static mut LATEST: u32 = 0;

/// The call in a slot. The reference ends before another is asked for.
fn at(slot: u32) -> &'static mut Slot {
    // SAFETY: there is a call.
    unsafe { &mut *content::<Slot>(slot) }
}

/// Begins a call and its first attempt. Slots of breaker and budget are 0 for none; the
/// deadline is the policy's if it is NaN. A breaker that is not closed is asked at the time of its
/// own clock, unless that is NaN.
/// The address of the call with [`SUCCESS_COUNTS`] and [`HALF_OPENED`]; 0 if the breaker rejects
/// it, with the rejection in the table, or was not asked; [`OUT_OF_MEMORY`] if there is none, and
/// then nothing has begun. The call is given back with its breaker, or else its policy, if it does
/// not end before.
#[wasm_bindgen]
pub fn call_begin(
    policy: u32,
    breaker: u32,
    budget: u32,
    now: f64,
    deadline: f64,
    breaker_now: f64,
) -> u32 {
    let Some(ready) = Ready::new(policy, breaker, budget) else { return OUT_OF_MEMORY };
    if breaker == 0 {
        return ready.begin(None, now, deadline);
    }
    let closed = breaker_slot::at(breaker).admit_closed();
    let admitted = closed.map(|permit| Admitted { permit, half_opened: false });
    let asked = admitted.or_else(|| {
        if breaker_now.is_nan() { None } else { breaker_answer::admit(breaker, breaker_now) }
    });
    let Some(Admitted { permit, half_opened }) = asked else { return ready.rejected() };
    let call = ready.begin(Some(permit), now, deadline);
    if half_opened { call | HALF_OPENED } else { call }
}

/// All that a call needs, with room for it: nothing that was asked has to be taken back.
struct Ready {
    rules: &'static Policy,
    pool: Option<&'static mut dyn budget_slot::Pool>,
    /// The slot with which the call is given back.
    owner: u32,
    slot: u32,
}

impl Ready {
    /// None if there is no room.
    fn new(policy: u32, breaker: u32, budget: u32) -> Option<Self> {
        let rules = policy::at(policy);
        if breaker != 0 {
            content::<breaker_slot::Head>(breaker);
        }
        let pool = if budget == 0 { None } else { Some(budget_slot::at(budget)) };
        let owner = if breaker == 0 { policy } else { breaker };
        match reserve(size_of::<Slot>() as u32, Slot::KIND) {
            0 => None,
            slot => Some(Self { rules, pool, owner, slot }),
        }
    }

    fn rejected(self) -> u32 {
        release(self.slot);
        0
    }

    fn begin(self, permit: Option<Permit>, now: f64, deadline: f64) -> u32 {
        let Self { rules, pool, owner, slot } = self;
        if let Some(pool) = pool {
            pool.deposit();
        }
        let now = table::instant(now);
        let mut call = match table::optional(deadline) {
            Some(deadline) => Call::begin_within(rules, deadline, now),
            None => Call::begin(rules, now),
        };
        let attempt = call.start(rules);
        let counts = permit.is_some_and(|permit| breaker_slot::at(owner).counts_success(&permit));
        // SAFETY: one thread; the slot is large enough.
        unsafe {
            LATEST = LATEST.wrapping_add(1);
            let (longest, number) = (Duration::ZERO, LATEST);
            (slot as *mut Slot).write(Slot { call, attempt, permit, now, longest, number });
        }
        adopt(owner, slot);
        slot | if counts || rules.listens() { SUCCESS_COUNTS } else { 0 }
    }
}

/// Starts the next attempt; false if the breaker has opened meanwhile, and the call asks.
#[wasm_bindgen]
pub fn call_start(slot: u32, policy: u32, breaker: u32) -> bool {
    let slot = at(slot);
    if let Some(permit) = slot.permit
        && permit.wants_check()
        && !breaker_slot::at(breaker).still_admits(permit)
    {
        return false;
    }
    slot.attempt = slot.call.start(policy::at(policy));
    true
}

/// What is left of the deadline at `now`, or was when the attempt started if that is NaN; infinity
/// without one.
#[wasm_bindgen]
pub fn call_remaining(slot: u32, now: f64) -> f64 {
    let slot = at(slot);
    table::millis(match table::optional(now) {
        Some(_) => slot.call.remaining(table::instant(now)),
        None => slot.attempt.remaining,
    })
}

/// How long the attempt may take, by the deadline, too; infinity without a limit.
#[wasm_bindgen]
pub fn call_timeout(slot: u32) -> f64 {
    table::millis(at(slot).attempt.timeout)
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
/// in milliseconds, the new state of a breaker that the hint has opened plus 1, else 0, and the
/// class of the failure, which is another than was told if the attempt was late.
#[wasm_bindgen]
pub fn call_fail(
    slot: u32,
    policy: u32,
    breaker: u32,
    budget: u32,
    now: f64,
    class: u32,
    how: u32,
    retry_after: f64,
    budget_now: f64,
    breaker_now: f64,
) -> u32 {
    let now = table::instant(now);
    let policy = policy::at(policy);
    // A copy is worked on: what a strategy in JavaScript does meanwhile may reach the call.
    let (mut call, permit, number) = {
        let slot = at(slot);
        slot.longest = slot.longest.max(now.since(slot.now));
        slot.now = now;
        (slot.call, slot.permit, slot.number)
    };
    let mut classification = Classification::new(table::class(class));
    classification.retry_after = table::optional(retry_after);
    let cause = if how == 1 { Cause::Result } else { Cause::Exception };
    let call_budget = CallBudget { slot: budget, now: budget_now };
    let decision = if how == 2 {
        call.cut(policy, now, &mut Random, &call_budget)
    } else {
        call.fail(policy, now, &classification, cause, &mut Random, &call_budget)
    };
    table::set(2, f64::from(call.last().map_or(class, |(class, _)| class as u32)));
    let slot = at(slot);
    if slot.number != number {
        // Its breaker was disposed of meanwhile, and the call with it.
        return FIRST_REASON + StopReason::Aborted as u32;
    }
    slot.call = call;
    let held = match (call.last(), classification.retry_after, permit) {
        (Some((ErrorClass::RateLimit | ErrorClass::ServerError, _)), Some(hint), Some(permit))
            if permit.wants_hints() =>
        {
            breaker_slot::at(breaker).hold(permit, hint, table::instant(breaker_now))
        }
        _ => None,
    };
    table::set(0, table::millis(decision.delay()));
    table::set(1, f64::from(breaker_answer::changed(held)));
    match decision {
        Decision::Retry { .. } => RETRY,
        Decision::TooLong { .. } => TOO_LONG,
        Decision::Stop(reason) => FIRST_REASON + reason as u32,
    }
}

/// The retry that was decided is deferred: the number of the reason for which the call ends.
#[wasm_bindgen]
pub fn call_defer(slot: u32, budget: u32, budget_now: f64) -> u32 {
    let call_budget = CallBudget { slot: budget, now: budget_now };
    at(slot).call.defer(&call_budget) as u32
}

/// Puts what a deferred call has behind it into the table, as `Deferred` has it.
#[wasm_bindgen]
pub fn call_deferred(slot: u32) {
    let deferred = at(slot).call.deferred();
    // SAFETY: the table is large enough, and the reference ends here.
    let told = unsafe { &mut *table::numbers().cast::<settings::Deferred>() };
    told.attempts = f64::from(deferred.attempts);
    told.delay = table::millis(deferred.delay);
    told.elapsed = table::millis(deferred.elapsed);
    told.remaining = table::millis(deferred.remaining);
    for (told, failures) in told.failures.iter_mut().zip(deferred.failures) {
        *told = f64::from(failures);
    }
}

/// A call that has just begun goes on with what is in the table, as `Deferred` has it; with a
/// deadline of its own, unless that is NaN.
#[wasm_bindgen]
pub fn call_resume(slot: u32, policy: u32, now: f64, deadline: f64) {
    let given = settings::Deferred::from_table();
    let mut deferred = Deferred {
        attempts: whole(given.attempts),
        failures: given.failures.map(|failures| whole(failures) as u16),
        delay: table::duration(given.delay),
        elapsed: table::duration(given.elapsed),
        remaining: table::duration(given.remaining),
    };
    if let Some(deadline) = table::optional(deadline) {
        deferred.remaining = deadline;
    }
    at(slot).call = Call::resume(policy::at(policy), &deferred, table::instant(now));
}

/// The delay is over; whether there is time for another attempt.
#[wasm_bindgen]
pub fn call_wake(slot: u32, now: f64) -> bool {
    let slot = at(slot);
    slot.now = table::instant(now);
    slot.call.on_wake(slot.now).is_ok()
}

/// Ends a call that succeeded. Both times may be NaN if [`call_begin`] did not say
/// [`SUCCESS_COUNTS`]. The new state of the breaker plus 1, 0 if it is the old one.
#[wasm_bindgen]
pub fn call_succeed(slot: u32, policy: u32, breaker: u32, now: f64, breaker_now: f64) -> u32 {
    if !now.is_nan() {
        let ended = at(slot);
        let now = table::instant(now);
        ended.longest = ended.longest.max(now.since(ended.now));
        let rules = policy::at(policy);
        if rules.listens() {
            ended.call.succeed(rules, now);
        }
    }
    let counts = !breaker_now.is_nan();
    end(slot, breaker, if counts { Some(CallResult::Success) } else { None }, breaker_now)
}

/// Ends a call that did not succeed, for a reason by its number. The new state of the breaker
/// plus 1, 0 if it is the old one; and from bit 2 on the class that the breaker counts plus 1,
/// 0 if the call was cancelled for it. In the table is the delay after which to go on, NaN for
/// none.
#[wasm_bindgen]
pub fn call_stop(slot: u32, breaker: u32, reason: u32, breaker_now: f64) -> u32 {
    let reason = StopReason::ALL.get(reason as usize).copied().unwrap_or(StopReason::Aborted);
    let call = &at(slot).call;
    let counted = call.counted_failure(reason);
    let next_sleep = call.next_sleep(reason).map_or(f64::NAN, table::millis);
    let result = counted.map_or(CallResult::Cancelled, CallResult::Failure);
    let changed = end(slot, breaker, Some(result), breaker_now);
    // Not before: drawing a random number may use the table.
    table::set(0, next_sleep);
    changed | counted.map_or(0, |class| class as u32 + 1) << 2
}

fn end(slot: u32, breaker: u32, result: Option<CallResult>, breaker_now: f64) -> u32 {
    let ended = at(slot);
    let (permit, longest) = (ended.permit, ended.longest);
    let (Some(permit), Some(result)) = (permit, result) else {
        release(slot);
        return 0;
    };
    content::<breaker_slot::Head>(breaker);
    release(slot);
    let draws = permit.wants_random() && result != CallResult::Cancelled;
    let random = if draws { Random.draw().unwrap_or(0) } else { 0 };
    let now = table::instant(breaker_now);
    breaker_answer::changed(breaker_slot::at(breaker).settle(permit, result, longest, random, now))
}
