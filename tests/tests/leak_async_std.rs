//! The test of leaks, on async-std: `support` goes by the name of this program.

#[path = "leak.rs"]
mod leak;
