//! MessagePack, as `socket.io-msgpack-parser` 3 has it. [`MessagePack`] says how it is translated.

mod decode;
mod encode;
mod reader;
#[cfg(test)]
mod tests;

use super::{PacketParts, Parser, Wire};
use crate::{EncodeError, Limits, PacketError};

/// The parser that interoperates with `socket.io-msgpack-parser` 3.
///
/// A packet is one map, `{type, data, nsp, id}`, in one binary message, its binary data among the
/// rest of it. What is in it is translated into JSON and back, by these rules.
///
/// | MessagePack, received | JSON |
/// | --- | --- |
/// | nil, booleans, strings, arrays | the same; U+FFFD for what is not UTF-8 |
/// | integers of up to 64 bits | the same, exactly |
/// | floats | the shortest form that is the same double, without a fraction where it is an integer below 2^53; `null` for what is no number |
/// | maps | objects. Keys are strings or integers, others are malformed |
/// | bin, ext 8, 16 and 32 of type 0 (an `ArrayBuffer`) | binary data; in the payload of a CONNECT or CONNECT_ERROR an array of numbers |
/// | fixext 1 of type 0 (`undefined`) | left out of objects, otherwise `null` |
/// | fixext 8 of type 0 (a `Date`) | its ISO 8601 form, as `toJSON` has it; `null` for an invalid one |
/// | any other ext | an array of the type and the binary data |
///
/// | JSON, sent | MessagePack |
/// | --- | --- |
/// | integers of up to 64 bits, signed or not | the shortest form |
/// | other numbers | float 64 |
/// | binary data | bin |
/// | everything else | the same, in the shortest form |
///
/// Two things that differ for JavaScript are the same here, because they are in JSON: `undefined`
/// and nothing, a date and its text. And an object that looks like a placeholder, which is plain
/// data for JavaScript, is plain data here too, except beside binary data: there it could be taken
/// for an attachment, so such a packet is refused, [`PacketError::IllegalAttachments`].
///
/// JavaScript's numbers are doubles. An integer beyond 2^53 arrives there as the nearest one; here,
/// and at other implementations that know integers of 64 bits, as it is.
///
/// The decoder does not recurse, reserves nothing for announced lengths, and keeps no more than six
/// times the bytes of the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessagePack;

impl Parser for MessagePack {
    fn encode<'a>(&self, packet: &'a PacketParts<'_>) -> Result<Wire<'a>, EncodeError> {
        encode::packet(packet).map(|data| Wire::Binary(data.into()))
    }

    fn decode<'a>(&self, wire: Wire<'a>, limits: &Limits) -> Result<PacketParts<'a>, PacketError> {
        match wire {
            Wire::Binary(data) => decode::packet(&data, limits),
            Wire::Text(_) => Err(PacketError::UnexpectedText),
        }
    }
}
