//! Every order of a few callers. A caller reads the clock, and asks under the lock later: what
//! `Steps` does, too. The tests go through each order of these steps, of ticks of the clock, and
//! of snapshots that are saved and restored in between.

mod breaker;
mod budgets;
mod keyed;

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Something that can go on in several ways, with the rules that hold in each.
trait World: Clone + Debug {
    type Step: Copy + Debug;

    /// What may happen next.
    fn steps(&self) -> Vec<Self::Step>;

    /// Lets it happen; says which rule is broken.
    fn take(&mut self, step: Self::Step) -> Result<(), String>;

    /// Nothing more happens; says which rule is broken.
    fn end(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Goes through all that can happen, every state once; returns how many states there are.
fn explore<W: World>(start: W) -> usize {
    let mut known = HashSet::new();
    let mut open = vec![(start, Vec::new())];
    while let Some((world, path)) = open.pop() {
        let steps = world.steps();
        if steps.is_empty()
            && let Err(broken) = world.end()
        {
            panic!("{broken}, at the end of {path:?}: {world:?}");
        }
        for step in steps {
            let (mut next, mut path) = (world.clone(), path.clone());
            path.push(step);
            if let Err(broken) = next.take(step) {
                panic!("{broken}, after {path:?}: {next:?}");
            }
            let mut hasher = DefaultHasher::new();
            format!("{next:?}").hash(&mut hasher);
            if known.insert(hasher.finish()) {
                open.push((next, path));
            }
        }
    }
    known.len()
}

fn ensure(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

/// A clock that ticks a few times, and snapshots that are taken and put back a few times.
#[derive(Clone, Copy, Debug)]
struct Limits {
    callers: usize,
    ticks: u32,
    snapshots: u32,
}

const fn limits(callers: usize, ticks: u32, snapshots: u32) -> Limits {
    Limits { callers, ticks, snapshots }
}
