//! Running a program under valgrind's callgrind, and reading what it found.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// Which of glibc's variants of `memcpy` and the like are not to be used. What is left is the same
/// on every x86-64 processor, and so is the number of instructions.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX512VL,-AVX512F,-AVX2,-AVX2_Usable,\
    -AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-SSSE3";

/// What one run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) instructions: u64,
    /// Calls that allocate or grow memory.
    pub(super) allocations: u64,
}

/// Runs `command` under callgrind, which leaves its profile in `file`.
pub(super) fn count(command: &Command, file: &Path) -> Result<Counts, Failure> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    valgrind.arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(command.get_program()).args(command.get_args());
    valgrind.env("GLIBC_TUNABLES", TUNABLES).stdin(Stdio::null()).stdout(Stdio::null());
    let output =
        valgrind.output().map_err(|error| Failure::new(format!("cannot run valgrind: {error}")))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("valgrind failed ({}):\n{errors}", output.status)));
    }
    let profile = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    parse(&profile)
        .ok_or_else(|| Failure::new(format!("{} is no profile of callgrind", file.display())))
}

/// Reads a profile without compressed names: a line `cfn=NAME` says who is called, and the line
/// `calls=COUNT ...` that follows how often; `summary: COUNT` has the instructions.
fn parse(profile: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let mut instructions = None;
    let mut is_allocator = false;
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("cfn=") {
            is_allocator = allocates(name);
        } else if let Some(calls) = line.strip_prefix("calls=").filter(|_| is_allocator) {
            counts.allocations += calls.split(' ').next()?.parse::<u64>().ok()?;
        } else if let Some(sum) = line.strip_prefix("summary: ") {
            instructions = sum.trim().parse().ok();
        }
    }
    counts.instructions = instructions?;
    Some(counts)
}

/// Whether it is one of libc's functions that Rust's allocator calls. Some versions have a suffix,
/// as in `malloc@@GLIBC_2.2.5`.
fn allocates(name: &str) -> bool {
    let name = name.split('@').next().unwrap_or(name);
    matches!(name, "malloc" | "calloc" | "realloc" | "aligned_alloc" | "posix_memalign")
}
