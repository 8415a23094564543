//! What the kernel knows about this process.

use std::fs;
use std::time::Duration;

/// The processor time of this thread, as of the last tick of the scheduler. Linux only.
pub(crate) fn cpu_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanos.expect("this is measured on Linux"))
}

/// The bytes of memory that the process has resident. Linux only.
pub(crate) fn resident_bytes() -> usize {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<usize>().ok());
    kilobytes.expect("this is measured on Linux") * 1_024
}
