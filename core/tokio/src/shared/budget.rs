//! A budget that processes share: [`SharedBudget`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use redress::Instant;
use redress::budget::Budget;
use redress::snapshot::SnapshotError;

use super::state::{Core, SharedState};
use super::{Sharing, Store};
use crate::settings::SettingsError;
use crate::upstream::AnyBudget;
use crate::{AsyncPool, BudgetKind};

/// At most so many calls are counted at once.
const MOST_CALLS: u32 = 100_000;

/// A budget whose state is in a store that processes share: for
/// [`Upstream::call_through_with`](crate::Upstream::call_through_with).
///
/// Its time is that of the store. Clones are one handle.
pub struct SharedBudget<S: Store> {
    state: Arc<SharedState<S, Shared>>,
    /// Calls that the store has no count of.
    calls: Arc<AtomicU32>,
}

impl<S: Store> SharedBudget<S> {
    /// A handle to the budget of this key with these settings: a
    /// [`RatioConfig`](redress::budget::RatioConfig) or a
    /// [`RollingConfig`](redress::budget::RollingConfig). Processes whose settings are equal have one
    /// budget.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for the first setting that is out of its range, and for a key that is empty.
    pub fn new(
        store: S,
        sharing: impl Into<Sharing>,
        settings: impl Into<BudgetKind>,
    ) -> Result<Self, SettingsError> {
        let sharing = sharing.into();
        sharing.check("sharedBudget")?;
        let budget = AnyBudget::new(&settings.into());
        let budget = budget.map_err(|error| SettingsError::of_core("sharedBudget", &error))?;
        let state = SharedState::new(store, sharing, Shared(budget));
        Ok(Self { state: Arc::new(state), calls: Arc::default() })
    }

    /// A call begins: a budget in proportion to calls earns from it. The store counts it with the next
    /// retry that is asked for, so that a call without a retry costs no command; at most 100,000 calls
    /// are counted at once.
    pub fn deposit(&self) {
        let add = |calls: u32| (calls < MOST_CALLS).then(|| calls + 1);
        let _ = self.calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Takes `cost` retries, all or none, and returns whether they were there. If the store does not
    /// answer in time, it is what [`WhenUnreachable`](super::WhenUnreachable) says.
    pub async fn consume(&self, cost: u32) -> bool {
        // Those of a question that is not answered are lost: rather too few retries than too many.
        let calls = self.calls.swap(0, Ordering::Relaxed);
        self.state.ask(Question { calls, cost }).await
    }

    /// The key of its state in the store.
    pub fn key(&self) -> &str {
        self.state.key()
    }
}

impl<S: Store> Clone for SharedBudget<S> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), calls: self.calls.clone() }
    }
}

impl<S: Store> fmt::Debug for SharedBudget<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBudget").field("key", &self.key()).finish_non_exhaustive()
    }
}

impl<S: Store> AsyncPool for SharedBudget<S> {
    fn deposit(&self) {
        Self::deposit(self);
    }

    async fn consume(&self) -> bool {
        Self::consume(self, 1).await
    }
}

/// The state in the store.
struct Shared(AnyBudget);

struct Question {
    calls: u32,
    cost: u32,
}

impl Core for Shared {
    type Question = Question;
    type Answer = bool;

    fn save(&self, now: Instant) -> Vec<u8> {
        self.0.save(now)
    }

    fn restore(&mut self, bytes: &[u8], now: Instant) -> Result<(), SnapshotError> {
        self.0.restore(bytes, now)
    }

    fn decide(&mut self, &mut Question { calls, cost }: &mut Question, now: Instant) -> bool {
        for _ in 0..calls {
            self.0.deposit();
        }
        self.0.consume(cost, now)
    }

    fn otherwise(_: &Question) -> bool {
        false
    }

    /// A retry that was granted stays spent.
    fn take_back(_: bool) -> Option<Question> {
        None
    }
}
