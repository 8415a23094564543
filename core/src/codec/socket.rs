//! Socket.IO 5 packets, received: `type [attachments "-"] [namespace ","] [id] [payload]`.
//!
//! A packet keeps the text that it came in and remembers where its parts are. Its JSON has been
//! validated when a [`Packet`] exists, and nothing of it has been converted.
//!
//! The decoder accepts what the reference accepts, with these differences, each for input that no
//! client sends:
//!
//! - An event or acknowledgement must have an array. The reference dispatches `42` as an event
//!   without a name.
//! - Counts and ids are decimal digits. The reference takes whatever JavaScript converts to a
//!   number, such as a space; and it loses precision above 2^53, where we answer
//!   [`IllegalAckId`](PacketError::IllegalAckId).
//! - `450-["a"]` is a plain event. The reference refuses it.

mod parts;
#[cfg(test)]
mod tests;
pub mod v4;

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use memchr::memchr;

use crate::codec::args::{Args, Raw};
use crate::codec::json::{self, Observer, Placeholder, Unobserved};
use crate::{AckId, Limits, PacketError};

/// The type of a packet. Types 5 and 6, the binary ones, are events and acknowledgements too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PacketKind {
    /// `0`: a client asks to join a namespace, or the server confirms it.
    Connect,
    /// `1`: one side leaves a namespace.
    Disconnect,
    /// `2` or `5`: an event.
    Event,
    /// `3` or `6`: the answer to an event that asked for one.
    Ack,
    /// `4`: the server refuses to let a client join a namespace.
    ConnectError,
}

/// A received packet, without its attachments.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its type.
    pub kind: PacketKind,
    /// The acknowledgement that an event asks for, or that this is. Other types have none: an id
    /// that they carry is ignored, as in the reference.
    pub ack: Option<AckId>,
    /// How many binary messages follow and belong to it.
    pub attachments: u32,
    namespace: Span,
    /// Where the payload begins, which ends with the text.
    payload_start: u32,
    /// Two placeholders name the same attachment.
    attachments_are_shared: bool,
    parts: Parts,
    text: Bytes,
}

impl Packet {
    /// Decodes `text`: an Engine.IO message, with the `4` in front.
    ///
    /// # Errors
    ///
    /// Any [`PacketError`] but those about attachments that come at the wrong time.
    #[inline]
    pub fn decode(text: Bytes, limits: &Limits) -> Result<Self, PacketError> {
        if u32::try_from(text.len()).is_err() {
            return Err(PacketError::TooLong);
        }
        let mut header = Header { text: &text, at: 1 };
        let Some(kind) = header.peek() else { return Err(PacketError::Empty) };
        header.at += 1;
        let (kind, attachments) = match kind {
            b'0' => (PacketKind::Connect, 0),
            b'1' => (PacketKind::Disconnect, 0),
            b'2' => (PacketKind::Event, 0),
            b'3' => (PacketKind::Ack, 0),
            b'4' => (PacketKind::ConnectError, 0),
            b'5' => (PacketKind::Event, header.attachments(limits.attachments)?),
            b'6' => (PacketKind::Ack, header.attachments(limits.attachments)?),
            byte => return Err(PacketError::UnknownType { byte }),
        };
        let namespace = header.namespace(limits.namespace_bytes)?;
        let ack = header.ack()?;
        let start = header.at;
        let is_event = kind == PacketKind::Event;
        let (parts, attachments_are_shared) = match kind {
            PacketKind::Event => event(&text, start, attachments, limits)?,
            PacketKind::Ack => acknowledgement(&text, start, attachments, limits)?,
            PacketKind::Connect => plain(&text, start, limits, |first| first == b'{')?,
            PacketKind::Disconnect => plain(&text, start, limits, |_| false)?,
            PacketKind::ConnectError => {
                plain(&text, start, limits, |first| matches!(first, b'{' | b'"'))?
            }
        };
        Ok(Self {
            kind,
            ack: if is_event || kind == PacketKind::Ack { ack } else { None },
            attachments,
            namespace,
            payload_start: start as u32,
            attachments_are_shared,
            parts,
            text,
        })
    }

    /// The namespace's name, as it was written; `/` if it was not.
    pub fn namespace(&self) -> &str {
        if self.namespace.is_empty() { "/" } else { self.namespace.text_of(&self.text) }
    }

    /// The event's name; a numeric one as it was written. Empty if this is no event.
    pub fn event_name(&self) -> &str {
        match &self.parts.unescaped_name {
            None => self.parts.name.text_of(&self.text),
            Some(name) => name,
        }
    }

    /// The bytes of [`event_name`](Self::event_name), without a check that they are UTF-8; that name
    /// is empty where they are not.
    #[inline]
    pub fn event_name_bytes(&self) -> &[u8] {
        match &self.parts.unescaped_name {
            None => self.text.get(self.parts.name.range()).unwrap_or_default(),
            Some(name) => name.as_bytes(),
        }
    }

    /// The JSON that it carries, or nothing.
    pub fn payload(&self) -> &str {
        self.payload_span().text_of(&self.text)
    }

    fn payload_span(&self) -> Span {
        Span::new(self.payload_start as usize, self.text.len())
    }

    /// The bytes of its text, attachments not counted.
    pub fn len_bytes(&self) -> usize {
        self.text.len()
    }

    /// The JSON that it carries as one value, for what is neither event nor acknowledgement.
    pub fn into_raw(self) -> Option<Raw> {
        let payload = self.text.slice(self.payload_span().range());
        (!payload.is_empty()).then(|| Raw::new(payload, Vec::new()))
    }

    /// The arguments of the event, which do not include its name, or of the acknowledgement.
    ///
    /// `attachments` are the binary messages that followed, [`attachments`](Self::attachments) of
    /// them; if there are fewer, decoding fails where one is missing. None for other types.
    pub fn into_args(self, attachments: Vec<Bytes>) -> Args {
        match self.kind {
            PacketKind::Event | PacketKind::Ack => Args::new(
                self.payload_start as usize,
                self.parts.first_argument.range(),
                self.text,
                attachments,
                self.attachments_are_shared,
            ),
            PacketKind::Connect | PacketKind::Disconnect | PacketKind::ConnectError => {
                Args::default()
            }
        }
    }
}

/// What the payload tells.
#[derive(Clone, Debug)]
struct Parts {
    name: Span,
    /// The name, if it holds escape sequences.
    unescaped_name: Option<Box<str>>,
    /// The first argument; empty and in front of the closing bracket if there is none.
    first_argument: Span,
}

impl Parts {
    /// Those of an array that begins with no name.
    fn nameless(first_argument: Span) -> Self {
        let name = Span::default();
        Self { name, unescaped_name: None, first_argument }
    }
}

/// The parts of an event, and whether two of its placeholders name the same attachment.
#[inline]
fn event(
    text: &[u8],
    start: usize,
    attachments: u32,
    limits: &Limits,
) -> Result<(Parts, bool), PacketError> {
    let mut references = References::to(attachments);
    let found = if attachments == 0 {
        json::event(text, start, limits.json_depth, Unobserved)?
    } else {
        json::event(text, start, limits.json_depth, &mut references)?
    };
    let (name_start, name_end) = found.name;
    let raw = text.get(name_start..name_end).unwrap_or_default();
    let unescaped_name = found.name_is_escaped.then(|| json::unescape(raw).into_boxed_str());
    let name = unescaped_name.as_deref().map_or(raw, str::as_bytes);
    if name.len() > limits.event_name_bytes {
        return Err(PacketError::TooLong);
    }
    if is_reserved(name) {
        return Err(PacketError::ReservedName);
    }
    let name = Span::new(name_start, name_end);
    let first_argument = Span::of(found.first_argument);
    Ok((Parts { name, unescaped_name, first_argument }, references.shared))
}

/// The parts of an acknowledgement, and whether two of its placeholders name the same attachment.
fn acknowledgement(
    text: &[u8],
    start: usize,
    attachments: u32,
    limits: &Limits,
) -> Result<(Parts, bool), PacketError> {
    let mut references = References::to(attachments);
    let first = if attachments == 0 {
        json::array(text, start, limits.json_depth, Unobserved)?
    } else {
        json::array(text, start, limits.json_depth, &mut references)?
    };
    Ok((Parts::nameless(Span::of(first)), references.shared))
}

/// Checks a payload that may be missing, and whose first byte tells whether its type is right.
fn plain(
    text: &[u8],
    start: usize,
    limits: &Limits,
    is_allowed: impl Fn(u8) -> bool,
) -> Result<(Parts, bool), PacketError> {
    let payload = text.get(start..).unwrap_or_default();
    match payload.first() {
        None => {}
        Some(&first) if is_allowed(first) => json::validate(payload, limits.json_depth)?,
        Some(_) => return Err(PacketError::InvalidPayload),
    }
    Ok((Parts::nameless(Span::new(text.len(), text.len())), false))
}

/// Whether only the library itself may emit an event of this name. Clients of the ecosystem use
/// these for their own life cycle.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    matches!(
        name,
        b"connect"
            | b"connect_error"
            | b"disconnect"
            | b"disconnecting"
            | b"newListener"
            | b"removeListener"
    )
}

/// Part of a packet's text. Two words of 32 bits, where a slice of `Bytes` would be four of 64 and a
/// reference count.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The positions lie within a text whose length has been found to fit.
    #[inline]
    fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    #[inline]
    fn of(range: core::ops::Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }

    #[inline]
    fn is_empty(self) -> bool {
        self.start == self.end
    }

    #[inline]
    fn range(self) -> core::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    #[inline]
    fn text_of(self, text: &[u8]) -> &str {
        let bytes = text.get(self.range()).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// Reads what stands in front of the payload. Every step is linear in what it consumes.
pub(crate) struct Header<'a> {
    text: &'a [u8],
    at: usize,
}

impl Header<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Reads decimal digits, however many. Returns how many there were, and their value or the
    /// largest that is represented.
    #[inline]
    fn decimal(&mut self) -> (usize, u64) {
        let start = self.at;
        let mut value = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        (self.at - start, value)
    }

    fn attachments(&mut self, limit: usize) -> Result<u32, PacketError> {
        let (digits, count) = self.decimal();
        if digits == 0 || self.peek() != Some(b'-') {
            return Err(PacketError::IllegalAttachments);
        }
        self.at += 1;
        match u32::try_from(count) {
            Ok(count) if count as usize <= limit => Ok(count),
            Ok(_) | Err(_) => Err(PacketError::TooManyAttachments { limit }),
        }
    }

    #[inline]
    fn namespace(&mut self, bytes_max: usize) -> Result<Span, PacketError> {
        if self.peek() != Some(b'/') {
            return Ok(Span::default());
        }
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let end = start + memchr(b',', rest).unwrap_or(rest.len());
        if end - start > bytes_max {
            return Err(PacketError::TooLong);
        }
        self.at = (end + 1).min(self.text.len());
        Ok(Span::new(start, end))
    }

    #[inline]
    fn ack(&mut self) -> Result<Option<AckId>, PacketError> {
        match self.decimal() {
            (0, _) => Ok(None),
            (_, value) => AckId::new(value).map(Some).ok_or(PacketError::IllegalAckId),
        }
    }
}

/// Checks that placeholders name attachments that exist.
struct References {
    count: u32,
    /// One bit for each attachment that has been named. Those past the last bit share it, which
    /// costs them a copy.
    named: u64,
    shared: bool,
}

impl References {
    fn to(count: u32) -> Self {
        Self { count, named: 0, shared: false }
    }
}

impl Observer for &mut References {
    const ACTIVE: bool = true;

    fn placeholder(&mut self, placeholder: Placeholder) -> Result<(), PacketError> {
        let number = placeholder.number.filter(|&number| number < self.count);
        let Some(number) = number else { return Err(PacketError::IllegalAttachments) };
        let bit = 1 << number.min(u64::BITS - 1);
        self.shared |= self.named & bit != 0;
        self.named |= bit;
        Ok(())
    }
}
