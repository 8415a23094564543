//! Engine.IO packets and payloads of both revisions, base64, and Socket.IO packets.

mod base64;
mod engine;
mod older;
mod socket;

use super::json;
use super::take_byte;

/// The first byte says what the rest is.
pub fn run(mut bytes: &[u8]) {
    match take_byte(&mut bytes) % 9 {
        0 => engine::check_packet(bytes),
        1 => engine::check_payload(bytes),
        2 => engine::check_encoding(bytes),
        3 => base64::check(bytes),
        4 => socket::check(bytes),
        5 => older::check_payload(bytes),
        6 => older::check_encoding(bytes),
        7 => older::check_jsonp(bytes),
        _ => {
            let depth_limit = usize::from(take_byte(&mut bytes));
            json::compare(bytes, depth_limit);
        }
    }
}
