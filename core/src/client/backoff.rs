//! How long to wait before the next attempt to connect.

#[cfg(test)]
mod tests;

use core::time::Duration;

use crate::entropy::Entropy;

use super::config::Config;

/// Delays that double up to a limit, each with a part that is drawn.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// How many delays there have been since the last connection that held.
    exponent: u32,
}

/// Past this many doublings every sensible delay has reached its limit. The reference doubles on
/// until the delay is infinite, and then waits not at all.
const EXPONENT_MAX: u32 = 31;

impl Backoff {
    /// The next delay.
    ///
    /// The limit is applied before the part that is drawn: the reference does it afterwards, and
    /// its clients all come back at the same moment once they have reached the limit.
    pub(super) fn next(&mut self, config: &Config, entropy: &mut Entropy) -> Duration {
        let doubled = micros(config.reconnection_delay).saturating_mul(1 << self.exponent);
        self.exponent = (self.exponent + 1).min(EXPONENT_MAX);
        let delay_max = micros(config.reconnection_delay_max);
        let delay = doubled.min(delay_max);
        let percent = u64::from(config.randomization_percent.min(100));
        // A hundredth first: the product of two such numbers might not be one.
        let spread = (delay / 100).saturating_mul(percent);
        let earliest = delay - spread;
        let latest = delay.saturating_add(spread).min(delay_max);
        let width = latest.saturating_sub(earliest).saturating_add(1);
        let drawn = u64::from_le_bytes(entropy.bytes());
        Duration::from_micros(earliest.saturating_add(drawn % width))
    }

    /// A connection was lost that had held for `held`.
    ///
    /// Only one that held for a while lets the delays begin anew: otherwise a server that accepts
    /// and drops would be asked again and again at the shortest delay, as the reference does.
    pub(super) fn lost_after(&mut self, held: Duration, config: &Config) {
        if held >= config.reconnection_delay_max {
            self.reset();
        }
    }

    /// The application begins anew.
    pub(super) fn reset(&mut self) {
        self.exponent = 0;
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
