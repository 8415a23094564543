//! What proves sansocket: fixtures, clients, and what the tests of whole programs share.

pub mod choices;
#[cfg(feature = "servers")]
pub mod client;
#[cfg(feature = "servers")]
pub mod contract;
pub mod fuzzing;
pub mod model;
#[cfg(feature = "driver")]
pub mod simulation;
pub mod world;
