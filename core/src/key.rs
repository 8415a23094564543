//! Names for the things a [`Server`](crate::Server) holds.
//!
//! Keys are an index and a generation. A key outlives what it names: used afterwards, it answers
//! [`Gone`](crate::Gone) or `None`, never somebody else's state.

use core::fmt;
use core::num::NonZeroU64;

slotmap::new_key_type! {
    /// Names one Engine.IO session, together with the Socket.IO connection that it carries.
    pub struct ConnectionKey;

    /// Names one socket: a connection's membership of one namespace.
    pub struct SocketKey;

    /// Names a namespace. The same sequence of creations and removals gives the same keys, so
    /// servers that are shards of one another agree on them.
    pub struct NamespaceKey;
}

/// Identifies an acknowledgement that somebody owes.
///
/// On the wire it is a decimal number. JavaScript represents it as a double, so ids lie below
/// 2^53; see [`AckId::new`].
// Holds one more than the number, so that an `Option` takes no more room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckId(NonZeroU64);

impl AckId {
    /// The largest id: JavaScript's `Number.MAX_SAFE_INTEGER`.
    pub const MAX: Self = Self(NonZeroU64::MIN.saturating_add((1 << 53) - 1));

    /// The id `value`, or `None` where JavaScript could not represent it exactly.
    pub const fn new(value: u64) -> Option<Self> {
        if value <= Self::MAX.get() {
            Some(Self(NonZeroU64::MIN.saturating_add(value)))
        } else {
            None
        }
    }

    /// The number on the wire.
    pub const fn get(self) -> u64 {
        self.0.get() - 1
    }
}

impl fmt::Debug for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AckId").field(&self.get()).finish()
    }
}

impl fmt::Display for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
