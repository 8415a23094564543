//! What benchmarks measure: servers for a load generator, and the machine in memory.

pub mod machine;
#[cfg(feature = "servers")]
mod servers;
pub mod usage;

#[cfg(feature = "servers")]
pub use servers::{address, configure, install, threads};
