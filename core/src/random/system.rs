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

/// Random numbers made from the keys that the standard library seeds its hash maps with. They
/// differ in every process; they are good enough for jitter, not for secrets.
///
/// A forked process, or a process that continues from a copy of its memory, has the keys of the
/// original. So the number of the process and the time are part of each random number.
///
/// On `wasm32-unknown-unknown` the keys of the standard library are constants, so using this
/// source there is a compile error. Use [`from_fn`](crate::random::from_fn) over
/// `crypto.getRandomValues()`.
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
