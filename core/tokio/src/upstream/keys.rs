//! The breakers of an upstream by key: [`Keys`], a map that grows up to a capacity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use redress::Instant;
use redress::config::ConfigError;

use super::breaker::{BreakerKind, SharedBreaker};

/// One breaker for each key, and one for calls that name no key.
///
/// When the map is full, the key that was used least recently makes room for a new one, unless
/// its breaker must stay: [`Entry`](redress::keyed::Entry) says when, as in a
/// [`Keyed`](redress::Keyed) map. A permit belongs to the breaker that gave it, also after its
/// key has made room.
#[derive(Debug)]
pub(super) struct Keys {
    kind: BreakerKind,
    unkeyed: SharedBreaker,
    capacity: usize,
    map: Mutex<Map>,
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
    breaker: SharedBreaker,
    used: u64,
}

impl Keys {
    pub(super) fn new(kind: BreakerKind, capacity: usize) -> Result<Self, ConfigError> {
        let unkeyed = SharedBreaker::new(&kind)?;
        Ok(Self { kind, unkeyed, capacity, map: Mutex::default() })
    }

    pub(super) fn kind(&self) -> BreakerKind {
        self.kind
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The breaker of calls that name no key.
    pub(super) fn unkeyed(&self) -> SharedBreaker {
        self.unkeyed.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The breaker of `key`, a new one if it has none; `None` if there is no room.
    pub(super) fn entry(&self, key: &str, now: impl FnOnce() -> Instant) -> Option<SharedBreaker> {
        let map = &mut *self.lock();
        map.uses += 1;
        if let Some(kept) = map.entries.get_mut(key) {
            kept.used = map.uses;
            return Some(kept.breaker.clone());
        }
        if map.entries.len() >= self.capacity && !map.make_room(now()) {
            map.refused += 1;
            return None;
        }
        // The settings were checked for the breaker without a key.
        let breaker = SharedBreaker::new(&self.kind).ok()?;
        map.entries.insert(key.into(), Kept { breaker: breaker.clone(), used: map.uses });
        Some(breaker)
    }

    /// The keys with their breakers, in no order.
    pub(super) fn all(&self) -> Vec<(Arc<str>, SharedBreaker)> {
        let map = self.lock();
        map.entries.iter().map(|(key, kept)| (key.clone(), kept.breaker.clone())).collect()
    }

    pub(super) fn refused(&self) -> u64 {
        self.lock().refused
    }
}

impl Map {
    /// Removes the least recently used key that may go, and says whether there was one.
    fn make_room(&mut self, now: Instant) -> bool {
        let oldest = |may_go: &dyn Fn(&SharedBreaker) -> bool| {
            let idle = self.entries.iter().filter(|(_, kept)| may_go(&kept.breaker));
            idle.min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone())
        };
        let key = oldest(&|breaker| !breaker.must_stay());
        let key = key.or_else(|| oldest(&|breaker| breaker.is_over(now)));
        key.is_some_and(|key| self.entries.remove(&key).is_some())
    }
}
