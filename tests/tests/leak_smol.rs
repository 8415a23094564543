//! The test of leaks, on smol: `support` goes by the name of this program.

#[path = "leak.rs"]
mod leak;
