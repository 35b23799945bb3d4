//! The system's random numbers, under the feature `std`.

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod keys {
    use std::hash::{BuildHasher, Hasher, RandomState};
    use std::time;

    use super::SystemRandom;
    use crate::random::Draw;

    impl Draw for SystemRandom {
        fn draw(&mut self) -> Option<u32> {
            // Each `RandomState` has keys of its own, so each hash differs. A forked process
            // has copies of them; its number differs, and in a machine that goes on from a copy
            // of its memory the time does.
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u32(process());
            hasher.write_u32(nanoseconds());
            Some(hasher.finish() as u32)
        }
    }

    /// The number of this process, on systems that have processes.
    fn process() -> u32 {
        if cfg!(any(unix, windows)) { std::process::id() } else { 0 }
    }

    /// The part of the time that differs most; 0 for a clock that is set before 1970.
    fn nanoseconds() -> u32 {
        let now = time::SystemTime::now().duration_since(time::UNIX_EPOCH);
        now.map_or(0, |now| now.subsec_nanos())
    }
}

/// Random numbers out of the keys that the standard library seeds its hash maps
/// with: different in every process, good enough for jitter, not for secrets.
///
/// A process that was forked off, or goes on from a copy of its memory, has the keys of the
/// first one. The process's number and the time are therefore part of each number.
///
/// On `wasm32-unknown-unknown` it is none: the standard library's keys are constants there,
/// and what needs random numbers from it does not compile. Use
/// [`from_fn`](crate::random::from_fn) over `crypto.getRandomValues()`.
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    deprecated = "wasm32-unknown-unknown has no random numbers: use `random::from_fn` over \
                  `crypto.getRandomValues()`"
)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Draw as _;

    #[test]
    fn numbers_differ() {
        let drawn: std::collections::HashSet<_> =
            (0..64).filter_map(|_| SystemRandom.draw()).collect();
        assert!(drawn.len() > 60, "{drawn:?}");
    }
}
