//! What a process holds.

/// The resident memory of this process in bytes, where the operating system tells it.
pub fn resident_bytes() -> Option<usize> {
    status("VmRSS:")
}

/// The most that it has been.
pub fn peak_bytes() -> Option<usize> {
    status("VmHWM:")
}

fn status(name: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: usize = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
