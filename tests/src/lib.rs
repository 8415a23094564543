//! What proves sansocket: fixtures, models and conformance.

pub mod contract;
