//! What an upstream has for each key: [`Keys`], a map that grows up to a capacity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use redress::Instant;
use redress::config::ConfigError;

use super::breaker::{BreakerKind, SharedBreaker};
use super::budget::{BudgetKind, SharedBudget};

/// A breaker and a budget for each key, as far as there are settings for them, and a breaker for
/// calls that name no key.
///
/// When the map is full, the key that was used least recently makes room for a new one, unless
/// its breaker must stay: [`Entry`](redress::keyed::Entry) says when, as in a
/// [`Keyed`](redress::Keyed) map. A permit belongs to the breaker that gave it, also after its
/// key has made room.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) breaker: Option<BreakerKind>,
    pub(super) budget: Option<BudgetKind>,
    pub(super) capacity: usize,
    unkeyed: KeyState,
    map: Mutex<Map>,
}

/// What one key has.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyState {
    pub(super) breaker: Option<SharedBreaker>,
    pub(super) budget: Option<Arc<SharedBudget>>,
}

#[derive(Debug, Default)]
struct Map {
    /// The standard library's hash takes longer than the rest of a call.
    entries: HashMap<Arc<str>, Kept, RandomState>,
    uses: u64,
    refused: u64,
}

#[derive(Debug)]
struct Kept {
    state: KeyState,
    used: u64,
}

impl Keys {
    pub(super) fn new(
        breaker: Option<BreakerKind>,
        budget: Option<BudgetKind>,
        capacity: usize,
    ) -> Result<Self, ConfigError> {
        let state = KeyState::new(breaker, budget)?;
        let unkeyed = KeyState { budget: None, ..state };
        Ok(Self { breaker, budget, capacity, unkeyed, map: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of `key`, a new one if it has none; nothing if there is no room.
    pub(super) fn state(&self, key: &str, now: impl FnOnce() -> Instant) -> KeyState {
        if key.is_empty() {
            return self.unkeyed.clone();
        }
        let map = &mut *self.lock();
        map.uses += 1;
        if let Some(kept) = map.entries.get_mut(key) {
            kept.used = map.uses;
            return kept.state.clone();
        }
        if map.entries.len() >= self.capacity && !map.make_room(now()) {
            map.refused += 1;
            return KeyState::default();
        }
        // The settings were checked for calls that name no key.
        let state = KeyState::new(self.breaker, self.budget).unwrap_or_default();
        map.entries.insert(key.into(), Kept { state: state.clone(), used: map.uses });
        state
    }

    /// The keys with their breakers, in no order.
    pub(super) fn breakers(&self) -> Vec<(Arc<str>, SharedBreaker)> {
        let map = self.lock();
        let breaker =
            |(key, kept): (&Arc<str>, &Kept)| Some((key.clone(), kept.state.breaker.clone()?));
        map.entries.iter().filter_map(breaker).collect()
    }

    pub(super) fn refused(&self) -> u64 {
        self.lock().refused
    }
}

impl KeyState {
    fn new(breaker: Option<BreakerKind>, budget: Option<BudgetKind>) -> Result<Self, ConfigError> {
        let breaker = breaker.map(|kind| SharedBreaker::new(&kind)).transpose()?;
        let budget = budget.map(SharedBudget::of_key).transpose()?;
        Ok(Self { breaker, budget: budget.map(Arc::new) })
    }

    fn must_stay(&self) -> bool {
        self.breaker.as_ref().is_some_and(SharedBreaker::must_stay)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.breaker.as_ref().is_none_or(|breaker| breaker.is_over(now))
    }
}

impl Map {
    /// Removes the least recently used key that may go, and says whether there was one.
    fn make_room(&mut self, now: Instant) -> bool {
        let oldest = |may_go: &dyn Fn(&KeyState) -> bool| {
            let idle = self.entries.iter().filter(|(_, kept)| may_go(&kept.state));
            idle.min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone())
        };
        let key = oldest(&|state| !state.must_stay());
        let key = key.or_else(|| oldest(&|state| state.is_over(now)));
        key.is_some_and(|key| self.entries.remove(&key).is_some())
    }
}
