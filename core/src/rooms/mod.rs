//! Which sockets are in which rooms, and whom a broadcast reaches.

mod registry;
mod target;

pub(crate) use registry::{Member, Registry};
pub use target::Target;
