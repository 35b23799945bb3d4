//! A budget of either kind, known only at run time: [`BudgetKind`] are its settings.

use std::sync::{Mutex, MutexGuard, PoisonError};

use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::config::ConfigError;
use redress::keyed::Entry as _;
use redress::snapshot::{Snapshot, SnapshotError};
use redress::{Instant, RatioBudget, RollingBudget};

/// The most retries of a rolling budget.
const RETRIES: usize = 4_096;

/// The settings of a budget, of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BudgetKind {
    /// A number of retries within a rolling window, up to 4,096.
    Rolling(RollingConfig),
    /// Retries in proportion to calls.
    Ratio(RatioConfig),
}

impl From<RollingConfig> for BudgetKind {
    fn from(config: RollingConfig) -> Self {
        Self::Rolling(config)
    }
}

impl From<RatioConfig> for BudgetKind {
    fn from(config: RatioConfig) -> Self {
        Self::Ratio(config)
    }
}

/// A budget that calls share.
#[derive(Debug)]
pub(super) struct SharedBudget {
    pub(super) kind: BudgetKind,
    budget: Mutex<Any>,
}

impl SharedBudget {
    /// The budget of all calls.
    pub(super) fn new(kind: BudgetKind) -> Result<Self, ConfigError> {
        Ok(Self { kind, budget: Mutex::new(Any::new(&kind)?) })
    }

    /// The budget of one key: what a ratio leaves out has the defaults of one.
    pub(super) fn of_key(kind: BudgetKind) -> Result<Self, ConfigError> {
        let mut budget = Any::new(&kind)?;
        if let Any::Ratio(budget) = &mut budget {
            budget.on_insert(0);
        }
        Ok(Self { kind, budget: Mutex::new(budget) })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, impl Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A budget of either kind.
#[derive(Debug)]
pub(crate) enum Any {
    Rolling(RollingBudget<RETRIES, RollingConfig, Box<[Instant]>>),
    Ratio(RatioBudget<RatioConfig>),
}

impl Any {
    pub(crate) fn new(kind: &BudgetKind) -> Result<Self, ConfigError> {
        match *kind {
            BudgetKind::Rolling(config) => {
                let due = vec![Instant::ZERO; config.max_retries().into()].into_boxed_slice();
                RollingBudget::with_storage(config, due).map(Self::Rolling)
            }
            BudgetKind::Ratio(config) => RatioBudget::from_settings(config).map(Self::Ratio),
        }
    }
}

/// For a budget whose state is in a store.
impl Any {
    pub(crate) fn save(&self, now: Instant) -> Vec<u8> {
        fn saved(budget: &impl Snapshot, now: Instant) -> Vec<u8> {
            let mut bytes = vec![0; budget.size()];
            let _ = budget.snapshot(now, &mut bytes);
            bytes
        }
        match self {
            Self::Rolling(budget) => saved(budget, now),
            Self::Ratio(budget) => saved(budget, now),
        }
    }

    pub(crate) fn restore(&mut self, bytes: &[u8], now: Instant) -> Result<(), SnapshotError> {
        match self {
            Self::Rolling(budget) => budget.restore(bytes, now, None),
            Self::Ratio(budget) => budget.restore(bytes, now, None),
        }
        .map(drop)
    }
}

impl Budget for Any {
    fn deposit(&mut self) {
        match self {
            Self::Rolling(budget) => budget.deposit(),
            Self::Ratio(budget) => budget.deposit(),
        }
    }

    fn consume(&mut self, cost: u32, now: Instant) -> bool {
        match self {
            Self::Rolling(budget) => budget.consume(cost, now),
            Self::Ratio(budget) => budget.consume(cost, now),
        }
    }

    fn remaining(&self, now: Instant) -> u32 {
        match self {
            Self::Rolling(budget) => budget.remaining(now),
            Self::Ratio(budget) => budget.remaining(now),
        }
    }
}
