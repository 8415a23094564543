//! What proves sansocket: fixtures, clients, and what the tests of whole programs share.

pub mod choices;
pub mod client;
pub mod contract;
pub mod simulation;
