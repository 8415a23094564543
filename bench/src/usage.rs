//! What this process uses, as Linux tells.

use std::fs;
use std::io;

/// Processor time and memory so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    cpu_us: u64,
    resident_kib: u64,
}

/// Ticks of the clock that processor time is told in, per second. The same on every Linux.
const TICKS: u64 = 100;

impl Usage {
    /// Now.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn now() -> io::Result<Self> {
        let unknown = || io::Error::other("the system tells nothing of this process");
        let stat = fs::read_to_string("/proc/self/stat")?;
        // The name, in parentheses, may hold spaces.
        let (_, fields) = stat.rsplit_once(')').ok_or_else(unknown)?;
        let mut fields = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        let mut ticks = || fields.next().and_then(Result::ok).ok_or_else(unknown);
        let cpu_us = (ticks()? + ticks()?) * (1_000_000 / TICKS);
        let status = fs::read_to_string("/proc/self/status")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|line| line.split_whitespace().next()?.parse().ok());
        Ok(Self { cpu_us, resident_kib: resident.ok_or_else(unknown)? })
    }

    /// The line of JSON for so many operations.
    pub fn used(&self, after: &Self, operations: u64) -> String {
        let cpu_us = after.cpu_us - self.cpu_us;
        format!(r#"{{"operations":{operations},"cpu_us":{cpu_us}}}"#)
    }

    /// The line of JSON for so many connections, which were opened and then left alone.
    pub fn opened(&self, opened: &Self, after: &Self, connections: usize) -> String {
        let bytes = (after.resident_kib.saturating_sub(self.resident_kib)) * 1024;
        let cpu_us = after.cpu_us - opened.cpu_us;
        format!(r#"{{"connections":{connections},"bytes":{bytes},"cpu_us":{cpu_us}}}"#)
    }
}
