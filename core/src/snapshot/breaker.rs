//! The snapshots of breakers and their windows.

use crate::breaker::{
    Breaker, BreakerConfig, FailureRule, FailureTimes, LastOutcomes, OutcomeRule, Phase, Slice,
    SliceRule, TimeSlices, Window,
};
use crate::config::Settings;
use crate::snapshot::codec::{CHECKSUM, Fingerprint, HEADER, Reader, Writer};
use crate::snapshot::{Restored, Snapshot, SnapshotError};
use crate::time::reach::Reach;
use crate::time::{Duration, Instant};

/// How a window is written; each has a number, so that one is not read as another.
trait Record: Window {
    const KIND: u8;
    /// At most.
    const BYTES: usize;

    fn bytes(&self) -> usize {
        Self::BYTES
    }

    fn fingerprint(rule: &Self::Rule, print: Fingerprint) -> Fingerprint;
    fn save(&self, rule: &Self::Rule, to: &mut Writer<'_>);
    /// After an error, the window is as it was.
    fn load(&mut self, rule: &Self::Rule, from: &mut Reader<'_>) -> Result<(), SnapshotError>;
}

impl<const N: usize, U, P> Record for FailureTimes<N, U, P>
where
    U: AsRef<[Instant]> + AsMut<[Instant]>,
    P: AsRef<[u8]> + AsMut<[u8]>,
{
    const KIND: u8 = 2;
    const BYTES: usize = 9 * N;

    fn bytes(&self) -> usize {
        9 * self.len()
    }

    fn fingerprint(rule: &FailureRule, print: Fingerprint) -> Fingerprint {
        let own = u64::from_le_bytes(rule.own);
        print.span(rule.window).u64(u64::from(rule.threshold)).u64(own)
    }

    fn save(&self, rule: &FailureRule, to: &mut Writer<'_>) {
        for (&until, &place) in self.until.as_ref().iter().zip(self.place.as_ref()) {
            to.until(until, rule.window);
            to.u8(place);
        }
    }

    fn load(&mut self, rule: &FailureRule, from: &mut Reader<'_>) -> Result<(), SnapshotError> {
        // Read twice: nothing changes unless all entries are right.
        let mut checked = from.clone();
        for _ in 0..self.len() {
            let [left @ .., place] = checked.take::<9>()?;
            if u64::from_le_bytes(left) > rule.window.as_micros() || !rule.has_place(place) {
                return Err(SnapshotError::Value);
            }
        }
        for (until, at) in self.until.as_mut().iter_mut().zip(self.place.as_mut()) {
            let [left @ .., place] = from.take::<9>()?;
            (*until, *at) = (from.still_due(u64::from_le_bytes(left)), place);
        }
        Ok(())
    }
}

impl<const WORDS: usize> Record for LastOutcomes<WORDS> {
    const KIND: u8 = 3;
    const BYTES: usize = 4 * WORDS + 6;

    fn fingerprint(rule: &OutcomeRule, print: Fingerprint) -> Fingerprint {
        let milli = u64::from(rule.rate_milli);
        print.u64(u64::from(rule.size) | milli << 16 | u64::from(rule.min_calls) << 32)
    }

    fn save(&self, _: &OutcomeRule, to: &mut Writer<'_>) {
        for word in self.failed {
            to.u32(word);
        }
        to.u16(self.next);
        to.u16(self.count);
        to.u16(self.failures);
    }

    fn load(&mut self, rule: &OutcomeRule, from: &mut Reader<'_>) -> Result<(), SnapshotError> {
        let mut loaded = Self::EMPTY;
        for word in &mut loaded.failed {
            *word = from.u32()?;
        }
        loaded.next = from.u16()?;
        loaded.count = from.u16()?;
        loaded.failures = from.u16()?;
        if loaded.next < rule.size && loaded.count <= rule.size && loaded.agrees(rule) {
            *self = loaded;
            Ok(())
        } else {
            Err(SnapshotError::Value)
        }
    }
}

impl<const N: usize> Record for TimeSlices<N> {
    const KIND: u8 = 4;
    const BYTES: usize = 6 * N + 8 + 2;

    fn fingerprint(rule: &SliceRule, print: Fingerprint) -> Fingerprint {
        let rates = u64::from(rule.failure_rate_milli) | u64::from(rule.slow_rate_milli) << 16;
        let rates = rates | u64::from(rule.min_calls) << 32;
        print.span(rule.slice).span(rule.slow_after).u64(rates)
    }

    fn save(&self, rule: &SliceRule, to: &mut Writer<'_>) {
        // Slices that ended before now are not revived.
        let mut saved = *self;
        saved.advance(rule.slice, to.now);
        for slice in &saved.slices {
            to.u16(slice.calls);
            to.u16(slice.failures);
            to.u16(slice.slow);
        }
        to.until(saved.ends, rule.slice);
        to.u16(saved.running);
    }

    fn load(&mut self, rule: &SliceRule, from: &mut Reader<'_>) -> Result<(), SnapshotError> {
        let mut loaded = Self::EMPTY;
        for slice in &mut loaded.slices {
            *slice = Slice { calls: from.u16()?, failures: from.u16()?, slow: from.u16()? };
            if slice.failures > slice.calls || slice.slow > slice.calls {
                return Err(SnapshotError::Value);
            }
        }
        let left = Duration::from_micros(from.u64()?);
        if left > rule.slice {
            return Err(SnapshotError::Value);
        }
        // The slices move on by the whole time off, not only to the next one's end.
        loaded.ends = from.now.saturating_add(left);
        loaded.running = from.u16()?;
        if usize::from(loaded.running) >= N {
            return Err(SnapshotError::Value);
        }
        if let Some(off) = from.off {
            loaded.advance(rule.slice, from.now.saturating_add(off));
            loaded.ends = from.now.saturating_add(loaded.ends.since(from.now.saturating_add(off)));
        }
        *self = loaded;
        Ok(())
    }
}

#[expect(private_bounds, reason = "how a window is written is internal")]
impl<W, const PERMITS: usize, C> Breaker<W, PERMITS, C>
where
    W: Record,
    C: Settings<BreakerConfig<W::Rule>>,
{
    fn fingerprint(&self) -> Fingerprint {
        let config = self.config();
        let counts = u64::from(config.permits)
            | u64::from(config.successes) << 8
            | u64::from(config.half_open_on.bits()) << 24
            | u64::from(config.wants) << 32;
        let print = Fingerprint::new()
            .u64(u64::from(config.trip_on.bits()))
            .span(config.recovery)
            .span(config.longest_recovery)
            .span(config.lease)
            .span(config.jitter)
            .span(config.longest_hint)
            .u64(counts | (PERMITS as u64) << 16);
        W::fingerprint(&config.rule, print)
    }
}

impl<W, const PERMITS: usize, C> Snapshot for Breaker<W, PERMITS, C>
where
    W: Record,
    C: Settings<BreakerConfig<W::Rule>>,
{
    const BYTES: usize = HEADER + 4 + 8 * PERMITS + W::BYTES + CHECKSUM;

    fn size(&self) -> usize {
        Self::BYTES - W::BYTES + self.window.bytes()
    }

    fn snapshot(&self, now: Instant, out: &mut [u8]) -> Result<usize, SnapshotError> {
        let mut to = Writer::begin(W::KIND, self.fingerprint(), self.size(), now, out)?;
        to.u8(self.phase as u8);
        to.u8(self.tally);
        to.u16(self.generation);
        for until in self.until {
            if self.phase == Phase::Open {
                to.until(until, self.longest_open());
            } else {
                // The end of a lease identifies its permit, which a suspended call has
                // written as it is: it must not change, unless the clock was set back so far
                // that the place is another probe's from the next call on.
                let mut until = until;
                to.u64(Reach::stale(self.config().lease).wait(&mut until, now).as_micros());
            }
        }
        self.window.save(&self.config().rule, &mut to);
        Ok(to.end())
    }

    fn restore(
        &mut self,
        bytes: &[u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Restored, SnapshotError> {
        let print = self.fingerprint();
        let mut from = Reader::begin(W::KIND, print, self.size(), bytes, now, off)?;
        let phase = match from.u8()? {
            0 => Phase::Closed,
            1 => Phase::Open,
            2 => Phase::HalfOpen,
            3 => Phase::Isolated,
            _ => return Err(SnapshotError::Value),
        };
        let tally = from.u8()?;
        let (reopened, succeeded) = (tally >> 4, tally & 0x0F);
        let config = self.config();
        if reopened > 0 && (!config.grows() || phase == Phase::Closed)
            || succeeded > 0 && phase != Phase::HalfOpen
            || succeeded >= config.successes
        {
            return Err(SnapshotError::Value);
        }
        let generation = from.u16()?;
        let (limit, places) = match phase {
            Phase::Closed | Phase::Isolated => (Duration::ZERO, 0),
            Phase::Open => (config.longest_open_after(reopened), PERMITS),
            Phase::HalfOpen => (config.lease.saturating_add(config.lease), self.places()),
        };
        let mut until = [Instant::ZERO; PERMITS];
        for (slot, place) in until.iter_mut().enumerate() {
            let limit = if slot < places { limit } else { Duration::ZERO };
            *place = from.until_within(limit)?;
        }
        // The recovery time ends for all places at once.
        let is_even = until.iter().take(self.places()).all(|place| Some(place) == until.first());
        if phase == Phase::Open && !is_even {
            return Err(SnapshotError::Value);
        }
        self.window.load(&self.settings.settings().rule, &mut from)?;
        let restored = from.restored();
        self.phase = phase;
        self.tally = tally;
        self.generation = generation;
        self.until = until;
        Ok(restored)
    }
}
