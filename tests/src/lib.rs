//! What proves sansocket: fixtures, clients, and what the tests of whole programs share.

pub mod choices;
#[cfg(feature = "servers")]
pub mod client;
#[cfg(feature = "servers")]
pub mod contract;
pub mod deflate;
pub mod fuzzing;

pub mod memory;
pub mod model;
pub mod noise;
#[cfg(feature = "driver")]
pub mod simulation;
pub mod world;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/namespaces.md")]
struct NamespacesGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/middlewares.md")]
struct MiddlewaresGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/recovery.md")]
struct RecoveryGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/compression.md")]
struct CompressionGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/parsers.md")]
struct ParsersGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/limits.md")]
struct LimitsGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/getting-started.md")]
struct GettingStartedGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/rooms.md")]
struct RoomsGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/acks.md")]
struct AcksGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/scaling.md")]
struct ScalingGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/operations.md")]
struct OperationsGuide;
