//! Arguments: decoded from what a peer may send, and encoded from what an application may send.

mod received;
mod sent;

use super::take_byte;

/// The first byte says what the rest is: a packet's JSON and attachments, or choices for values.
pub fn run(mut bytes: &[u8]) {
    if take_byte(&mut bytes) & 1 == 0 { received::check(bytes) } else { sent::check(bytes) }
}
