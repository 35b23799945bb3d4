//! State that survives a reset: [`Durable`] keeps two slots in an EEPROM, a flash or memory
//! that is retained, and writes them in turns, so that a power cut in the middle of a write
//! leaves the state before it.
//!
//! ```
//! # use redress::budget::{Budget, RatioConfig};
//! # use redress::snapshot::Snapshot;
//! # use redress::{checked, Duration, Instant, RatioBudget, Shared};
//! # use redress_embassy::durable::{Durable, Eeprom, Record};
//! # use core::cell::RefCell;
//! # fn run<S: embedded_storage::Storage>(eeprom: S, now: Instant) -> Result<(), redress_embassy::durable::SaveError<S::Error>> {
//! # const RATIO: RatioConfig = RatioConfig::new(100);
//! # let budget = RefCell::new(checked!(RatioBudget::new(&RATIO)));
//! // At address 0, for the first layout of this firmware's records.
//! let mut durable = Durable::new(Eeprom::new(eeprom, 0), 1);
//!
//! // After a reset: what cannot be taken over starts afresh, and says why.
//! let mut record = Record::<64>::new();
//! match durable.load(&mut record) {
//!     Ok(mut fields) => if let Err(why) = fields.take(&budget, now, None) { /* log it */ },
//!     Err(why) => { /* no state yet, or none that is whole: log it */ }
//! }
//!
//! // At a transition: a breaker opened, a call waits for long.
//! let mut record = Record::<64>::new();
//! record.put(&budget, now)?;
//! durable.save(&record)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Deep sleep
//!
//! A call made by [`call_or_suspend_async`](redress::Retry::call_or_suspend_async), or its
//! blocking sister, does not wait for a long delay. It hands back when to wake, and its
//! snapshot:
//!
//! ```no_run
//! # use redress::budget::{Budget, RatioConfig};
//! # use redress::snapshot::{Progress, Suspended};
//! # use redress::{checked, policy, Backoff, Duration, ErrorClass, Instant, Policy, RatioBudget};
//! # use redress::Clock;
//! # use redress::random::NoRandom;
//! # use redress_embassy::{EmbassyTime, durable::{Durable, Fields, Record, Retained, SaveError, OVERHEAD}};
//! # use core::cell::RefCell;
//! # use core::convert::Infallible;
//! # const RATIO: RatioConfig = RatioConfig::new(100);
//! # const NETWORK: Policy = policy! { Policy::builder().deadline(Duration::from_secs(86_400)).backoff(Backoff::constant(Duration::from_secs(900))) };
//! # struct Rtc;
//! # impl Rtc { fn slept(&self) -> Option<Duration> { None } fn wake_after(&mut self, _: Duration) -> ! { loop {} } }
//! # async fn send() -> Result<(), ()> { Ok(()) }
//! # async fn run(memory: &mut [u8], mut rtc: Rtc) -> Result<(), SaveError<Infallible>> {
//! const LIMIT: Duration = Duration::from_secs(10);
//! let budget = RefCell::new(checked!(RatioBudget::new(&RATIO)));
//! let mut durable = Durable::new(Retained::new(memory), 1);
//! let mut retry = NETWORK
//!     .on(EmbassyTime, NoRandom)
//!     .classify(|_: &()| ErrorClass::Transient)
//!     .budget(&budget);
//!
//! // After the reset: one instant for all, and how long nothing ran.
//! let (now, off) = (EmbassyTime.now(), rtc.slept());
//! let mut record = Record::<200>::new();
//! let call = durable.load(&mut record).ok().and_then(|mut fields| {
//!     fields.take(&budget, now, off).ok()?;
//!     fields.take_bytes::<{ Suspended::BYTES }>().ok()
//! });
//! let progress = match call {
//!     Some(call) => {
//!         let call = retry.resume(&call, now, off)?;
//!         call.call_or_suspend_async(LIMIT, async |_| send().await).await
//!     }
//!     None => retry.call_or_suspend_async(LIMIT, async |_| send().await).await,
//! };
//!
//! if let Progress::Suspended(call) = progress {
//!     let mut record = Record::<200>::new();
//!     record.put(&budget, call.at)?;
//!     record.put_bytes(&call.bytes)?;
//!     durable.save(&record)?;
//!     rtc.wake_after(call.wake_after);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Without a clock that runs through the sleep, `off` is what the alarm was set to, where it
//! is known that the alarm woke the chip; else `None`, and the whole delay is waited for
//! awake.
//!
//! # The bytes
//!
//! A slot holds the sequence number (4 bytes), the layout (2), the length (2), the fields, and a
//! CRC-32 (IEEE 802.3) of all before, little-endian. The newer one of the whole slots counts.

use crc::{CRC_32_ISO_HDLC, Crc};
use redress::snapshot::{Restored, Snapshot, SnapshotError};
use redress::{Duration, Instant, Shared};

mod slots;
mod wear;

pub use slots::{Eeprom, Flash, Retained, Slots};
pub use wear::{Transitions, writes_a_day};

const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Sequence, layout and length.
const HEADER: usize = 4 + 2 + 2;

/// What a slot takes besides the fields: the header and the checksum.
pub const OVERHEAD: usize = HEADER + 4;

/// The fields of a slot, put in one after the other, at most `N` bytes including
/// [`OVERHEAD`], `N` at most 65,535.
#[derive(Clone, Debug)]
pub struct Record<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Record<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Record<N> {
    /// Without any field.
    pub const fn new() -> Self {
        const { assert!(N >= OVERHEAD && N <= u16::MAX as usize) };
        Self { bytes: [0; N], len: HEADER }
    }

    /// Adds the state of a breaker or budget, as it is at `now`.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Length`] if it does not fit; [`SnapshotError::Value`] if it is lent
    /// already, further up this stack.
    pub fn put<T: Snapshot>(
        &mut self,
        state: &impl Shared<Item = T>,
        now: Instant,
    ) -> Result<(), SnapshotError> {
        let room = self.room(T::BYTES)?;
        state.with(|state| state.snapshot(now, room)).unwrap_or(Err(SnapshotError::Value))?;
        self.len += T::BYTES;
        Ok(())
    }

    /// Adds bytes of your own, or the snapshot of a suspended call.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Length`] if they do not fit.
    pub fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.room(bytes.len())?.copy_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    fn room(&mut self, needs: usize) -> Result<&mut [u8], SnapshotError> {
        let has = N.saturating_sub(4).saturating_sub(self.len);
        let error = SnapshotError::Length { needs, has };
        if needs > has {
            return Err(error);
        }
        self.bytes.get_mut(self.len..self.len + needs).ok_or(error)
    }

    /// The whole slot with header and checksum.
    fn seal(&self, sequence: u32, layout: u16) -> ([u8; N], usize) {
        let mut slot = self.bytes;
        // `N` is at most 65,535.
        let len = (self.len as u16).to_le_bytes();
        let (sequence, layout) = (sequence.to_le_bytes(), layout.to_le_bytes());
        fill(&mut slot, sequence.iter().chain(&layout).chain(&len));
        let sum = CHECKSUM.checksum(slot.get(..self.len).unwrap_or_default());
        fill(slot.get_mut(self.len..).unwrap_or_default(), &sum.to_le_bytes());
        (slot, self.len + 4)
    }

    /// What a slot of `size` bytes holds, if it is whole or longer than this record.
    fn open(&mut self, size: usize) -> Option<Held> {
        let (sequence, rest) = self.bytes.split_first_chunk()?;
        let (layout, rest) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_le_bytes(*rest.first_chunk()?));
        let (sequence, layout) = (u32::from_le_bytes(*sequence), u16::from_le_bytes(*layout));
        let Some(sum) = self.bytes.get(len..).and_then(|rest| rest.first_chunk()) else {
            return (len + 4 <= size).then_some(Held { sequence, layout, whole: false });
        };
        if len < HEADER || CHECKSUM.checksum(self.bytes.get(..len)?) != u32::from_le_bytes(*sum) {
            return None;
        }
        self.len = len;
        Some(Held { sequence, layout, whole: true })
    }
}

/// What a slot holds.
#[derive(Clone, Copy)]
struct Held {
    sequence: u32,
    layout: u16,
    /// Its checksum is right; else it is longer than the record into which it was read.
    whole: bool,
}

/// Copies as much as there is room for.
fn fill<'b>(to: &mut [u8], from: impl IntoIterator<Item = &'b u8>) {
    for (place, &byte) in to.iter_mut().zip(from) {
        *place = byte;
    }
}

/// The fields of a loaded record, to be taken in the order in which they were put.
#[derive(Clone, Debug)]
pub struct Fields<'r> {
    rest: &'r [u8],
    may_be_older: bool,
}

impl Fields<'_> {
    /// Whether the other slot could not be read. Then this state may be the one before the
    /// newest: a breaker that has opened since is closed in it.
    pub const fn may_be_older(&self) -> bool {
        self.may_be_older
    }

    /// Takes over the state of a breaker or budget, of which `off` has passed while nothing
    /// ran, if that is known. The next field is next in any case.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::restore`]; the state is then as it was, a fresh one. And
    /// [`SnapshotError::Value`] if it is lent already, further up this stack.
    pub fn take<T: Snapshot>(
        &mut self,
        state: &impl Shared<Item = T>,
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Restored, SnapshotError> {
        let bytes = self.next(T::BYTES)?;
        state.with(|state| state.restore(bytes, now, off)).unwrap_or(Err(SnapshotError::Value))
    }

    /// The next bytes that were [`put_bytes`](Record::put_bytes).
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Length`] if fewer are left.
    pub fn take_bytes<const LEN: usize>(&mut self) -> Result<[u8; LEN], SnapshotError> {
        let bytes = self.next(LEN)?;
        bytes.first_chunk().copied().ok_or(SnapshotError::Length { needs: LEN, has: bytes.len() })
    }

    fn next(&mut self, needs: usize) -> Result<&[u8], SnapshotError> {
        let has = self.rest.len();
        let (bytes, rest) =
            self.rest.split_at_checked(needs).ok_or(SnapshotError::Length { needs, has })?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// Why nothing was loaded: start afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LoadError<E> {
    /// No slot is whole: nothing was ever saved, or the storage is damaged.
    Empty,
    /// The newest state is of another layout: another version of the firmware wrote it. If it
    /// is longer than the record its checksum is not known, and rubbish may look like it.
    Layout {
        /// The layout that it has.
        has: u16,
    },
    /// The storage cannot be read.
    Storage(E),
}

impl<E: core::fmt::Debug> core::fmt::Display for LoadError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("no whole state is stored"),
            Self::Layout { has } => write!(f, "the stored state has layout {has}, not this one"),
            Self::Storage(why) => write!(f, "the state cannot be read: {why:?}"),
        }
    }
}

impl<E: core::fmt::Debug> core::error::Error for LoadError<E> {}

/// Why nothing was saved; what was saved before is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SaveError<E> {
    /// A field does not fit into the record.
    Record(SnapshotError),
    /// The storage cannot be read or written.
    Storage(E),
    /// What was read back differs from what was written: the storage is worn out or
    /// protected.
    Worn,
}

impl<E> From<SnapshotError> for SaveError<E> {
    fn from(why: SnapshotError) -> Self {
        Self::Record(why)
    }
}

impl<E: core::fmt::Debug> core::fmt::Display for SaveError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Record(why) => write!(f, "the state cannot be recorded: {why}"),
            Self::Storage(why) => write!(f, "the state cannot be written: {why:?}"),
            Self::Worn => f.write_str("the storage did not keep what was written"),
        }
    }
}

impl<E: core::fmt::Debug> core::error::Error for SaveError<E> {}

/// Two slots of a storage, of which the newer whole one is the state.
#[derive(Clone, Debug)]
pub struct Durable<S> {
    slots: S,
    layout: u16,
    /// Of the newest whole slot; its lowest bit says which one that is.
    sequence: Option<u32>,
}

impl<S: Slots> Durable<S> {
    /// `layout` is the version of your own sequence of fields: count it up when you add, drop
    /// or reorder some. Changed settings of a policy, breaker or budget need no new layout;
    /// each snapshot notices its own.
    pub const fn new(slots: S, layout: u16) -> Self {
        Self { slots, layout, sequence: None }
    }

    /// Reads the newest whole slot into `record`. If one slot cannot be read, it is the other
    /// one, and [`Fields::may_be_older`] says so.
    ///
    /// # Errors
    ///
    /// If there is none, if it is of another layout, or if no slot can be read. Saving may be
    /// tried after each of them.
    pub fn load<'r, const N: usize>(
        &mut self,
        record: &'r mut Record<N>,
    ) -> Result<Fields<'r>, LoadError<S::Error>> {
        let mut other = Record::new();
        let first = self.read(0, record);
        let second = self.read(1, &mut other);
        let may_be_older;
        let (first, second) = match (first, second) {
            (Err(why), Err(_)) => return Err(LoadError::Storage(why)),
            (first, second) => {
                may_be_older = first.is_err() || second.is_err();
                (first.unwrap_or(None), second.unwrap_or(None))
            }
        };
        let second_counts = match (first, second) {
            (Some(first), Some(second)) if first.whole == second.whole => {
                newer(second.sequence, first.sequence)
            }
            (first, second) => first.is_none_or(|first| !first.whole && second.is_some()),
        };
        let newest = if second_counts {
            record.clone_from(&other);
            second
        } else {
            first
        };
        let Some(Held { sequence, layout, whole }) = newest else { return Err(LoadError::Empty) };
        // Also of one that cannot be read: what is saved next must be newer for its firmware.
        self.sequence = Some(sequence);
        if layout != self.layout {
            return Err(LoadError::Layout { has: layout });
        }
        if !whole {
            return Err(LoadError::Empty);
        }
        let rest = record.bytes.get(HEADER..record.len).unwrap_or_default();
        Ok(Fields { rest, may_be_older })
    }

    /// Writes `record` over the older slot and reads it back.
    ///
    /// Without a [`load`](Self::load) before, it looks first which slot that is.
    ///
    /// # Errors
    ///
    /// If the record is longer than a slot, and if the storage fails or does not keep it; the
    /// newer slot is untouched.
    pub fn save<const N: usize>(&mut self, record: &Record<N>) -> Result<(), SaveError<S::Error>> {
        let (needs, has) = (record.len + 4, self.slots.size());
        if needs > has {
            return Err(SnapshotError::Length { needs, has }.into());
        }
        let mut back = Record::<N>::new();
        if self.sequence.is_none()
            && let Err(LoadError::Storage(why)) = self.load(&mut back)
        {
            return Err(SaveError::Storage(why));
        }
        let sequence = self.sequence.map_or(0, |newest| newest.wrapping_add(1));
        let slot = (sequence & 1) as u8;
        let (bytes, len) = record.seal(sequence, self.layout);
        let bytes = bytes.get(..len).unwrap_or_default();
        self.slots.write(slot, bytes).map_err(SaveError::Storage)?;
        match self.read(slot, &mut back).map_err(SaveError::Storage)? {
            Some(held) if held.whole && (held.sequence, held.layout) == (sequence, self.layout) => {
            }
            _ => return Err(SaveError::Worn),
        }
        self.sequence = Some(sequence);
        Ok(())
    }

    /// The storage, to use it for something else meanwhile.
    pub const fn slots(&mut self) -> &mut S {
        &mut self.slots
    }

    /// What the slot holds, if it is whole or longer than the record.
    fn read<const N: usize>(
        &mut self,
        slot: u8,
        record: &mut Record<N>,
    ) -> Result<Option<Held>, S::Error> {
        self.slots.read(slot, &mut record.bytes)?;
        let held = record.open(self.slots.size());
        // A slot holds numbers of its own parity; another one was never written here.
        Ok(held.filter(|held| held.sequence & 1 == u32::from(slot)))
    }
}

/// Whether `a` comes after `b`, though the number may have gone round.
const fn newer(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) < 1 << 31
}
