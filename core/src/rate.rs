//! How much a client may send in a time: token buckets, in integers and without a clock.

#[cfg(test)]
mod tests;

use crate::Timestamp;

/// A rate, and how far somebody who was silent may be ahead of it.
///
/// In any time `t`, no more than `burst + per_second * t` is within the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_second: u32,
    burst: u32,
}

impl Rate {
    /// So much in a second, and as much at once. At least 1.
    pub const fn per_second(units: u32) -> Self {
        let units = if units == 0 { 1 } else { units };
        Self { per_second: units, burst: units }
    }

    /// So much at once, after a time of silence. At least 1.
    #[must_use]
    pub const fn burst(self, units: u32) -> Self {
        Self { per_second: self.per_second, burst: if units == 0 { 1 } else { units } }
    }
}

/// What the clients of a server may send, each of them. Nothing is limited by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    events: Option<Rate>,
    bytes: Option<Rate>,
    excess: Excess,
}

impl RateLimit {
    /// No limit yet.
    pub const fn new() -> Self {
        Self { events: None, bytes: None, excess: Excess::Drop }
    }

    /// How many events.
    #[must_use]
    pub const fn events(self, rate: Rate) -> Self {
        Self { events: Some(rate), ..self }
    }

    /// How many bytes, of events with their attachments. An event that is larger than the burst is
    /// always too much.
    #[must_use]
    pub const fn bytes(self, rate: Rate) -> Self {
        Self { bytes: Some(rate), ..self }
    }

    /// What happens to what is too much: it is dropped by default.
    #[must_use]
    pub const fn excess(self, excess: Excess) -> Self {
        Self { excess, ..self }
    }
}

/// What happens where a client sends more than its [`RateLimit`] lets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Excess {
    /// The event is dropped, and no acknowledgement given. What is dropped does not count towards
    /// the rate.
    #[default]
    Drop,
    /// All events are handled. When a rate is used up, nothing more is read from the client until
    /// there is something left of it, so its network slows it down; what one read has brought is
    /// still handled, and counts. All sockets of the connection wait, because they share it.
    Delay,
    /// The socket is disconnected, or the connection with all its sockets, whichever the limit is
    /// for. The client does not connect again by itself.
    Disconnect,
}

/// Which of the rates of a [`RateLimit`] was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExceededRate {
    /// That of events.
    #[error("too many events")]
    Events,
    /// That of bytes.
    #[error("too many bytes")]
    Bytes,
}

/// What one client has left.
#[derive(Debug)]
pub(crate) struct Allowance {
    events: Option<Bucket>,
    bytes: Option<Bucket>,
    excess: Excess,
    /// Whether the last event was too much.
    is_exceeded: bool,
}

impl Allowance {
    /// All of it.
    pub(crate) fn new(limit: &RateLimit, now: Timestamp) -> Self {
        let bucket = |rate: Option<Rate>| rate.map(|rate| Bucket::full(rate, now));
        Self {
            events: bucket(limit.events),
            bytes: bucket(limit.bytes),
            excess: limit.excess,
            is_exceeded: false,
        }
    }

    pub(crate) fn excess(&self) -> Excess {
        self.excess
    }

    /// What is exceeded by one more event of so many bytes.
    pub(crate) fn check(&mut self, now: Timestamp, bytes: usize) -> Result<(), ExceededRate> {
        let lacks = |bucket: &mut Option<Bucket>, units| {
            bucket.as_mut().is_some_and(|bucket| !bucket.holds(now, units))
        };
        if lacks(&mut self.events, 1) {
            return Err(ExceededRate::Events);
        }
        if lacks(&mut self.bytes, bytes) {
            return Err(ExceededRate::Bytes);
        }
        Ok(())
    }

    /// Takes one event of so many bytes, whether it is there or not.
    pub(crate) fn take(&mut self, now: Timestamp, bytes: usize) {
        for (bucket, units) in [(&mut self.events, 1), (&mut self.bytes, bytes)] {
            if let Some(bucket) = bucket {
                bucket.take(now, units);
            }
        }
    }

    /// Notes what was exceeded by an event, if anything was. `true` if that is news: nothing was by
    /// the one before.
    pub(crate) fn note(&mut self, exceeded: Option<ExceededRate>) -> bool {
        let is_exceeded = exceeded.is_some();
        !core::mem::replace(&mut self.is_exceeded, is_exceeded) && is_exceeded
    }

    /// What there is nothing left of, and when there will be something of everything.
    pub(crate) fn exhausted(&self) -> Option<(ExceededRate, Timestamp)> {
        let events = self.events.as_ref().and_then(Bucket::ready_at);
        let bytes = self.bytes.as_ref().and_then(Bucket::ready_at);
        let rate = if events.is_some() { ExceededRate::Events } else { ExceededRate::Bytes };
        Some((rate, events.max(bytes)?))
    }
}

/// Fills at its rate up to its burst, and may be owed.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    /// Millionths of a unit. Invariant: not more than the burst.
    level: i64,
    /// When that was the level.
    at: Timestamp,
}

/// A bucket gets as many of these in a microsecond as units in a second, so nothing is rounded.
const PARTS_PER_UNIT: i64 = 1_000_000;

impl Bucket {
    fn full(rate: Rate, now: Timestamp) -> Self {
        Self { rate, level: capacity(rate), at: now }
    }

    fn holds(&mut self, now: Timestamp, units: usize) -> bool {
        self.fill(now);
        self.level >= parts(units)
    }

    fn take(&mut self, now: Timestamp, units: usize) {
        self.fill(now);
        self.level = self.level.saturating_sub(parts(units));
    }

    fn fill(&mut self, now: Timestamp) {
        let elapsed = now.as_micros().saturating_sub(self.at.as_micros());
        let gained = elapsed.saturating_mul(u64::from(self.rate.per_second));
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        self.level = self.level.saturating_add(gained).min(capacity(self.rate));
        self.at = self.at.max(now);
    }

    /// When it holds a unit, if it does not now.
    fn ready_at(&self) -> Option<Timestamp> {
        let lacking = u64::try_from(PARTS_PER_UNIT.saturating_sub(self.level)).unwrap_or(0);
        let micros = lacking.div_ceil(u64::from(self.rate.per_second));
        (micros > 0).then(|| self.at + core::time::Duration::from_micros(micros))
    }
}

fn capacity(rate: Rate) -> i64 {
    i64::from(rate.burst) * PARTS_PER_UNIT
}

fn parts(units: usize) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX).saturating_mul(PARTS_PER_UNIT)
}
