//! Breakers and budgets by key: [`Keyed`], a map of fixed capacity, one entry for
//! each host, device or tenant.

use heapless::Vec;

use crate::breaker::{
    BUSY, Breaker, BreakerConfig, ByHand, CallResult, Circuit, CircuitOpen, Gate, Permit, Window,
};
use crate::budget::{
    Acquire, Budget, Limit, LimiterConfig, NotBefore, Pool, RateLimiter, RatioBudget, RatioConfig,
    RollingBudget, Withdraw,
};
use crate::config::Settings;
use crate::event::CircuitState;
use crate::shared::Shared;
use crate::time::{Duration, Instant};

/// State that a [`Keyed`] map can hold.
pub trait Entry: Clone {
    /// Whether this entry must stay, even if another key needs its place.
    fn must_stay(&self) -> bool {
        false
    }

    /// Whether an entry that must stay may be removed at `now` after all, if no other entry can.
    fn is_over(&mut self, now: Instant) -> bool {
        let _ = now;
        false
    }

    /// Called on a new entry, the `nth` that the map has made.
    fn on_insert(&mut self, nth: u16) {
        let _ = nth;
    }
}

/// A closed breaker may be removed; an open or half-open breaker stays while it rejects calls.
impl<W, const PERMITS: usize, C> Entry for Breaker<W, PERMITS, C>
where
    W: Window + Clone,
    C: Settings<BreakerConfig<W::Rule>>,
{
    fn must_stay(&self) -> bool {
        self.state() != CircuitState::Closed
    }

    /// True if the breaker would admit the next call: its recovery time is over and no probe is
    /// in flight. Never true for an [isolated](crate::Breaker::isolate) breaker.
    fn is_over(&mut self, now: Instant) -> bool {
        Breaker::is_over(self, now)
    }

    /// Generations start far apart, so that a permit of a removed entry does not fit its
    /// successor.
    fn on_insert(&mut self, nth: u16) {
        self.generation = nth.rotate_left(8);
    }
}

impl<const N: usize, C: Clone> Entry for RollingBudget<N, C> {}

/// A limiter stays while one of its windows counts something, so that no key gets more than its
/// limit. A limiter with phases stays for ever once it was asked, because its phases begin only
/// once.
impl<const N: usize, C: Settings<LimiterConfig>> Entry for RateLimiter<N, C> {
    fn must_stay(&self) -> bool {
        !self.is_idle(Instant::ZERO)
    }

    fn is_over(&mut self, now: Instant) -> bool {
        self.is_idle(now)
    }
}

impl<C: Settings<RatioConfig>> Entry for RatioBudget<C> {
    /// A key's budget begins with 1 retry and earns none by time, unless its settings say
    /// otherwise.
    fn on_insert(&mut self, _: u16) {
        self.of_key();
    }
}

/// One `V` for each key, `N` at most.
///
/// A new key begins with a copy of the template. When the map is full, a new key replaces the
/// entry that was used least recently, with two exceptions. An open or half-open breaker stays,
/// and a rate limiter stays while one of its windows counts something.
///
/// If every entry is an open or half-open breaker, the new key replaces the least recently used
/// breaker whose recovery time is over and which has no probe in flight. Such a breaker would
/// admit the next call anyway. If no entry can be replaced, the new key gets none: its calls run
/// without a breaker, its retries without a budget, and a limiter refuses its attempts.
/// [`refused`](Self::refused) counts these cases.
///
/// ```
/// use core::cell::RefCell;
/// use redress::breaker::{FailureRule, FailureTimes};
/// use redress::{by_key, Breaker, BreakerConfig, Duration, Keyed};
///
/// const CONFIG: BreakerConfig<FailureRule> =
///     BreakerConfig::failures(5, Duration::from_secs(60));
/// type Hosts = Keyed<&'static str, Breaker<FailureTimes<5>>, 16>;
/// let hosts = RefCell::new(Hosts::new(Breaker::<FailureTimes<5>>::new(&CONFIG)?));
/// // .breaker(by_key(&hosts, "sensor-7.local"))
/// # let _ = by_key(&hosts, "sensor-7.local");
/// # Ok::<(), redress::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Keyed<K, V, const N: usize> {
    template: V,
    entries: Vec<Kept<K, V>, N>,
    uses: u32,
    births: u16,
    refused: u32,
}

#[cfg(feature = "defmt")]
impl<K: defmt::Format, V, const N: usize> defmt::Format for Keyed<K, V, N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Keyed({=usize} of {=usize} keys:", self.entries.len(), N);
        for entry in &self.entries {
            defmt::write!(f, " {}", entry.key);
        }
        defmt::write!(f, ")");
    }
}

#[derive(Clone, Debug)]
struct Kept<K, V> {
    key: K,
    value: V,
    used: u32,
}

impl<K, V, const N: usize> Keyed<K, V, N> {
    /// An empty map, whose entries begin as copies of `template`.
    pub const fn new(template: V) -> Self {
        Self { template, entries: Vec::new(), uses: 0, births: 0, refused: 0 }
    }

    /// How often a key found no room; saturates.
    pub const fn refused(&self) -> u32 {
        self.refused
    }

    /// How many keys have an entry.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key has an entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: Eq + Clone, V: Entry, const N: usize> Keyed<K, V, N> {
    /// The entry of `key`, if it has one. This does not count as a use of the entry.
    pub fn peek(&self, key: &K) -> Option<&V> {
        self.entries.iter().find(|kept| kept.key == *key).map(|kept| &kept.value)
    }

    /// The entry of `key`, if it has one.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        self.uses = self.uses.wrapping_add(1);
        let used = self.uses;
        let kept = self.entries.iter_mut().find(|kept| kept.key == *key)?;
        kept.used = used;
        Some(&mut kept.value)
    }

    /// The entry of `key`; a new entry if the key has none, `None` if there is no room. Without
    /// the time, an open or half-open breaker is never replaced: see
    /// [`entry_at`](Self::entry_at).
    pub fn entry(&mut self, key: &K) -> Option<&mut V> {
        self.entry_by(key, None)
    }

    /// As [`entry`](Self::entry), but may also replace a breaker that would admit a call at
    /// `now`.
    pub fn entry_at(&mut self, key: &K, now: Instant) -> Option<&mut V> {
        self.entry_by(key, Some(now))
    }

    fn entry_by(&mut self, key: &K, now: Option<Instant>) -> Option<&mut V> {
        if !self.has(key, now) {
            self.refused = self.refused.saturating_add(1);
            return None;
        }
        self.get(key)
    }

    /// Whether `key` has an entry, perhaps from now on.
    fn has(&mut self, key: &K, now: Option<Instant>) -> bool {
        if self.peek(key).is_some() {
            return true;
        }
        let births = self.births.wrapping_add(1);
        let mut value = self.template.clone();
        value.on_insert(births);
        let kept = Kept { key: key.clone(), value, used: self.uses };
        if let Err(kept) = self.entries.push(kept) {
            let Some(idle) = self.idlest(now) else { return false };
            *idle = kept;
        }
        self.births = births;
        true
    }

    /// The entry that makes room: the least recently used one that may go freely, or else
    /// the least recently used one that is over.
    fn idlest(&mut self, now: Option<Instant>) -> Option<&mut Kept<K, V>> {
        let uses = self.uses;
        let may_go =
            |value: &mut V| !value.must_stay() || now.is_some_and(|now| value.is_over(now));
        let mut idlest = None;
        for kept in &mut self.entries {
            if may_go(&mut kept.value) {
                let rank = (!kept.value.must_stay(), uses.wrapping_sub(kept.used));
                // A loop: the library's `max_by_key` divides to learn the length.
                if idlest.as_ref().is_none_or(|(highest, _)| rank >= *highest) {
                    idlest = Some((rank, kept));
                }
            }
        }
        idlest.map(|(_, kept)| kept)
    }
}

/// One entry of a shared [`Keyed`] map, as [`by_key`] makes it.
#[derive(Clone, Copy, Debug)]
pub struct ByKey<S, K> {
    map: S,
    key: K,
}

/// The breaker, the budget or the limiter of `key` in a shared map, for
/// [`Retry::breaker`](crate::Retry::breaker), [`Retry::budget`](crate::Retry::budget) and
/// [`Retry::limiter`](crate::Retry::limiter).
#[inline]
pub const fn by_key<S: Shared, K>(map: S, key: K) -> ByKey<S, K> {
    ByKey { map, key }
}

impl<S, K, V, const N: usize> Gate for ByKey<S, K>
where
    S: Shared<Item = Keyed<K, V, N>>,
    K: Eq + Clone,
    V: Entry + Circuit,
{
    /// `None` for a call that found no room.
    type Pass = Option<Permit>;

    type Attempts = V::Attempts;

    const WANTS: u8 = V::WANTS;

    /// Also `None` if only an eviction can make room, which needs the time.
    fn admit_closed(&self) -> Option<Self::Pass> {
        let enter = |map: &mut Keyed<K, V, N>| {
            if map.has(&self.key, None) { map.get(&self.key)?.admit_closed() } else { None }
        };
        self.map.with(enter).flatten().map(Some)
    }

    fn admit(&self, now: Instant) -> Result<(Self::Pass, bool), CircuitOpen> {
        let admitted = self.map.with(|map| match map.entry_at(&self.key, now) {
            Some(breaker) => breaker.admit(now).map(Some),
            None => Ok(None),
        });
        let admitted = admitted.unwrap_or(Err(BUSY))?;
        Ok((admitted.map(|a| a.permit), admitted.is_some_and(|a| a.half_opened)))
    }

    fn counts_success(pass: &Self::Pass) -> bool {
        pass.is_some_and(|permit| V::COUNTS_SUCCESS || permit.is_probe())
    }

    fn settle(
        &self,
        pass: Self::Pass,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState> {
        let permit = pass?;
        let settle = |map: &mut Keyed<K, V, N>| {
            map.get(&self.key)?.settle(permit, result, longest, random, now)
        };
        self.map.with(settle).flatten()
    }

    fn cancel(&self, pass: Self::Pass) {
        if let Some(permit) = pass {
            self.map.with(|map| map.get(&self.key).map(|breaker| breaker.cancel(permit)));
        }
    }

    fn hold(&self, pass: Self::Pass, hint: Duration, now: Instant) -> Option<CircuitState> {
        let permit = pass?;
        let hold = |map: &mut Keyed<K, V, N>| map.get(&self.key)?.hold(permit, hint, now);
        self.map.with(hold).flatten()
    }

    /// Also true if the entry of the breaker was replaced.
    fn still_admits(&self, pass: Self::Pass) -> bool {
        let Some(permit) = pass else { return true };
        let asked = self.map.with(|map| Some(map.get(&self.key)?.still_admits(permit)));
        asked.flatten().unwrap_or(true)
    }

    /// Resetting a key without an entry does nothing. Opening does nothing if there is no room
    /// for an entry.
    fn set(&self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        let set = |map: &mut Keyed<K, V, N>| {
            let breaker = match by_hand {
                ByHand::Reset => map.get(&self.key),
                ByHand::Trip | ByHand::Isolate => map.entry_at(&self.key, now),
            };
            breaker?.set(by_hand, now)
        };
        self.map.with(set).flatten()
    }

    fn permit(pass: &Self::Pass) -> Option<Permit> {
        *pass
    }

    fn pass(permit: Option<Permit>) -> Option<Self::Pass> {
        permit.is_none_or(|permit| permit.has_place_in(V::PERMITS)).then_some(permit)
    }
}

impl<S, K, V, const N: usize> Withdraw for ByKey<S, K>
where
    S: Shared<Item = Keyed<K, V, N>>,
    K: Eq + Clone,
    V: Entry + Budget,
{
    fn withdraw(&self, now: Instant) -> bool {
        self.map
            .with(|map| map.entry_at(&self.key, now).is_none_or(|budget| budget.consume(1, now)))
            .unwrap_or(false)
    }
}

impl<S, K, V, const N: usize> Pool for ByKey<S, K>
where
    S: Shared<Item = Keyed<K, V, N>>,
    K: Eq + Clone,
    V: Entry + Budget,
{
    fn deposit(&self) {
        self.map.with(|map| map.entry(&self.key).map(Budget::deposit));
    }
}

impl<S, K, V, const N: usize> Acquire for ByKey<S, K>
where
    S: Shared<Item = Keyed<K, V, N>>,
    K: Eq + Clone,
    V: Entry + Limit,
{
    /// A key that gets no entry is refused, without a time: an attempt without the limiter would
    /// exceed the limit.
    fn acquire(&self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        let refused = Err(NotBefore { wait: None });
        self.map
            .with(|map| map.entry_at(&self.key, now).map_or(refused, |one| one.acquire(cost, now)))
            .unwrap_or(refused)
    }

    fn check(&self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        let refused = Err(NotBefore { wait: None });
        self.map
            .with(|map| map.entry_at(&self.key, now).map_or(refused, |one| one.check(cost, now)))
            .unwrap_or(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::{FailureRule, FailureTimes};
    use crate::class::ErrorClass;
    use core::cell::RefCell;

    const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(1, Duration::from_secs(60));
    type Hosts = Keyed<u8, Breaker<FailureTimes<1>>, 2>;

    fn hosts() -> Hosts {
        Hosts::new(Breaker::<FailureTimes<1>>::new(&CONFIG).unwrap())
    }

    fn fail(hosts: &mut Hosts, key: u8) {
        let breaker = hosts.entry(&key).unwrap();
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, CallResult::Failure(ErrorClass::Transient), Instant::ZERO);
    }

    #[test]
    fn the_least_recently_used_closed_breaker_makes_room() {
        let mut hosts = hosts();
        for key in [1, 2, 1, 3] {
            assert!(hosts.entry(&key).is_some());
        }
        assert!(hosts.peek(&2).is_none() && hosts.peek(&1).is_some());
    }

    #[test]
    fn an_open_breaker_is_never_evicted_for_a_closed_one() {
        let mut hosts = hosts();
        fail(&mut hosts, 1);
        for key in 2..50 {
            assert!(hosts.entry(&key).is_some());
        }
        assert_eq!(hosts.peek(&1).unwrap().state(), CircuitState::Open);
        fail(&mut hosts, 49);
        assert!(hosts.entry(&50).is_none());
        assert_eq!((hosts.refused(), hosts.len()), (1, 2));
        let hosts = RefCell::new(hosts);
        assert_eq!(by_key(&hosts, 50).admit_closed(), None);
        assert_eq!(by_key(&hosts, 50).admit(Instant::ZERO), Ok((None, false)));
        assert_eq!(hosts.borrow().refused(), 2);
    }

    const RECOVERED: Instant = Instant::from_micros(30_000_000);

    #[test]
    fn a_breaker_whose_recovery_time_is_over_makes_room_where_none_is_closed() {
        let mut hosts = hosts();
        for key in [1, 2] {
            fail(&mut hosts, key);
        }
        assert!(hosts.entry_at(&3, Instant::from_micros(29_999_999)).is_none());
        // Without the time nothing is known to be over.
        assert!(hosts.entry(&3).is_none());
        assert!(hosts.get(&1).is_some());
        assert!(hosts.entry_at(&3, RECOVERED).is_some());
        assert!(hosts.peek(&2).is_none() && hosts.peek(&1).is_some());
        // A closed one goes first, however lately it was used.
        assert!(hosts.entry_at(&4, RECOVERED).is_some());
        assert!(hosts.peek(&3).is_none() && hosts.peek(&1).is_some());
    }

    #[test]
    fn a_breaker_with_a_probe_in_flight_or_opened_by_hand_does_not_make_room() {
        let mut hosts = hosts();
        fail(&mut hosts, 1);
        hosts.entry(&2).unwrap().isolate();
        let probe = hosts.get(&1).unwrap().admit(RECOVERED).unwrap().permit;
        assert!(hosts.entry_at(&3, RECOVERED).is_none());
        hosts.get(&1).unwrap().cancel(probe);
        assert!(hosts.entry_at(&3, RECOVERED).is_some());
        assert!(hosts.peek(&1).is_none() && hosts.peek(&2).is_some());
    }

    #[test]
    fn a_clock_that_jumped_back_holds_no_place_longer_than_the_recovery_time() {
        let mut hosts = hosts();
        let late = Instant::from_micros(u64::MAX / 2);
        for key in [1, 2] {
            let breaker = hosts.entry(&key).unwrap();
            let permit = breaker.admit_closed().unwrap();
            breaker.settle(permit, CallResult::Failure(ErrorClass::Transient), late);
        }
        assert!(hosts.entry_at(&3, Instant::ZERO).is_none());
        assert!(hosts.entry_at(&3, RECOVERED).is_some());
    }

    #[test]
    fn a_permit_of_an_evicted_breaker_does_not_fit_its_successor() {
        let hosts = RefCell::new(hosts());
        let gate = by_key(&hosts, 1);
        let pass = gate.admit_closed().unwrap();
        for key in 2..4 {
            hosts.borrow_mut().entry(&key);
        }
        assert!(gate.admit_closed().is_some());
        let failure = CallResult::Failure(ErrorClass::Transient);
        assert_eq!(gate.settle(pass, failure, Duration::ZERO, 0, Instant::ZERO), None);
        assert_eq!(hosts.borrow().peek(&1).unwrap().state(), CircuitState::Closed);
    }
}
