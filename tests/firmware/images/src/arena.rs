//! Room for what a scenario's policy refers to as `&'static`.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;

/// Values live until the next [`run`](Self::run); there is no heap on a target.
pub struct Arena<const N: usize> {
    room: UnsafeCell<MaybeUninit<[u64; N]>>,
    used: Cell<usize>,
}

// SAFETY: only the main thread of an image uses it; no interrupt does.
unsafe impl<const N: usize> Sync for Arena<N> {}

/// A place in the arena for the length of a run.
#[derive(Clone, Copy)]
pub struct Places {
    room: *mut u8,
    size: usize,
    used: &'static Cell<usize>,
}

impl<const N: usize> Arena<N> {
    /// An empty one.
    pub const fn new() -> Self {
        Self { room: UnsafeCell::new(MaybeUninit::uninit()), used: Cell::new(0) }
    }

    /// Runs `f` with all of the room.
    ///
    /// # Safety
    ///
    /// Nothing that `f` puts there may be used after it returns, nor may `f` run the
    /// same arena again.
    pub unsafe fn run<R>(&'static self, f: impl FnOnce(Places) -> R) -> R {
        self.used.set(0);
        f(Places { room: self.room.get().cast(), size: N * 8, used: &self.used })
    }
}

impl<const N: usize> Default for Arena<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl Places {
    /// Puts a value there; `None` if there is no room left. It is never dropped.
    pub fn put<T>(self, value: T) -> Option<&'static mut T> {
        const { assert!(align_of::<T>() <= 8) };
        let start = self.used.get().next_multiple_of(align_of::<T>());
        let end = start.checked_add(size_of::<T>()).filter(|end| *end <= self.size)?;
        self.used.set(end);
        // SAFETY: the place is inside the room, aligned as the room is to 8, and given
        // out once in a run, as `used` only grows; `Arena::run` says how long it lasts.
        unsafe {
            let place = self.room.add(start).cast::<T>();
            place.write(value);
            Some(&mut *place)
        }
    }
}
