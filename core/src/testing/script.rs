//! Randomness and operations that follow a script.

use crate::random::Draw;

/// Random numbers from a script.
///
/// # Panics
///
/// It panics when it is asked for more numbers than the script has: a test in which more is
/// drawn than it foresees does not test what it means to. So an empty script checks that
/// nothing is drawn. [`NoRandom`](crate::random::NoRandom) stands for a program without a
/// source of randomness.
#[derive(Clone, Debug)]
pub struct ScriptedRandom<'s> {
    numbers: &'s [u32],
    drawn: usize,
}

impl<'s> ScriptedRandom<'s> {
    /// These numbers, in order.
    pub const fn new(numbers: &'s [u32]) -> Self {
        Self { numbers, drawn: 0 }
    }

    /// How many were drawn.
    pub const fn drawn(&self) -> usize {
        self.drawn
    }
}

impl Draw for ScriptedRandom<'_> {
    #[expect(clippy::panic, reason = "the test that draws too often fails, and says why")]
    fn draw(&mut self) -> Option<u32> {
        let Some(&number) = self.numbers.get(self.drawn) else {
            panic!(
                "ScriptedRandom: draw {} has no number, {} are in the script",
                self.drawn + 1,
                self.numbers.len()
            );
        };
        self.drawn += 1;
        Some(number)
    }
}

impl Draw for &mut ScriptedRandom<'_> {
    fn draw(&mut self) -> Option<u32> {
        (**self).draw()
    }
}

/// An operation that returns what a script says, and its last line from then on.
#[derive(Clone, Debug)]
pub struct Script<V, E, const N: usize> {
    results: [Result<V, E>; N],
    runs: usize,
}

impl<V: Clone, E: Clone, const N: usize> Script<V, E, N> {
    const FITS: () = assert!(N > 0, "a script has one line or more");

    /// These results, in order.
    pub const fn new(results: [Result<V, E>; N]) -> Self {
        let () = Self::FITS;
        Self { results, runs: 0 }
    }

    /// Runs the operation once.
    ///
    /// # Errors
    ///
    /// If the script says so.
    #[expect(clippy::should_implement_trait, reason = "it is an operation, no iterator")]
    pub fn next(&mut self) -> Result<V, E> {
        let nth = self.runs.min(N - 1);
        self.runs += 1;
        self.results[nth].clone()
    }

    /// How often it was run.
    pub const fn runs(&self) -> usize {
        self.runs
    }
}
