//! Uses the standard library, as a careless dependency of the core would.

/// The number of arguments of the process.
pub fn argument_count() -> usize {
    std::env::args().count()
}
