//! Outgoing messages, encoded once for all recipients and transports.

mod compression;
#[cfg(test)]
mod tests;
mod v3;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use serde::Serialize;

use crate::codec::args::{self, Output};
use crate::codec::socket::is_reserved;
use crate::codec::websocket::{self, Opcode, SERVER_HEADER_BYTES_MAX};
use crate::{AckId, EncodeError};

pub use v3::BinaryForm;

pub(crate) use crate::codec::args::{write_decimal, write_string};

/// The longest beginning of a Socket.IO packet that is known only after its arguments have been
/// encoded: `45`, the number of attachments, `-`.
const PACKET_PREFIX_MAX: usize = 2 + 20 + 1;
/// Where the known part of a packet begins in an encoder's memory.
const BODY_START: usize = SERVER_HEADER_BYTES_MAX + PACKET_PREFIX_MAX;

/// One Engine.IO packet in one piece of memory, behind the header of its WebSocket frame.
///
/// A WebSocket sends all of it, whatever the number of recipients; polling sends the part behind
/// the header.
#[derive(Clone)]
pub struct Frame {
    bytes: Bytes,
    /// The length of the WebSocket header.
    packet_start: u8,
    is_binary: bool,
    may_be_compressed: bool,
}

impl Frame {
    /// A text packet: its type and its data.
    pub fn text(packet: &str) -> Self {
        Self::utf8(packet.as_bytes())
    }

    /// A text packet that its encoder knows to be UTF-8.
    pub(crate) fn utf8(packet: &[u8]) -> Self {
        Self::copy(packet, Opcode::Text)
    }

    /// A message: a text packet of type `4` with that data.
    pub(crate) fn message(data: &str) -> Self {
        let mut packet = Vec::with_capacity(1 + data.len());
        packet.push(b'4');
        packet.extend_from_slice(data.as_bytes());
        Self::utf8(&packet)
    }

    /// A binary packet, which has no type.
    pub fn binary(data: &[u8]) -> Self {
        Self::copy(data, Opcode::Binary)
    }

    /// The same packet for a client that takes no binary: `b` and base64, as in a payload.
    pub fn to_text(&self) -> Self {
        if !self.is_binary {
            return self.clone();
        }
        self.to_base64(b"b")
    }

    /// The WebSocket frame: a final, unmasked one.
    pub fn websocket(&self) -> &Bytes {
        &self.bytes
    }

    /// The Engine.IO packet: `4` and text, or the bare binary data.
    pub fn packet(&self) -> &[u8] {
        self.bytes.get(usize::from(self.packet_start)..).unwrap_or_default()
    }

    /// The Engine.IO packet, sharing the memory.
    pub fn packet_bytes(&self) -> Bytes {
        self.bytes.slice(usize::from(self.packet_start).min(self.bytes.len())..)
    }

    /// Whether it is a binary packet.
    pub fn is_binary(&self) -> bool {
        self.is_binary
    }

    const fn from_static(websocket: &'static [u8]) -> Self {
        let bytes = Bytes::from_static(websocket);
        Self { bytes, packet_start: 2, is_binary: false, may_be_compressed: true }
    }

    fn copy(packet: &[u8], opcode: Opcode) -> Self {
        let header = websocket::header(opcode, packet.len());
        let mut bytes = Vec::with_capacity(header.len() + packet.len());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(packet);
        Self {
            packet_start: header.len() as u8,
            bytes: Bytes::from(bytes),
            is_binary: opcode == Opcode::Binary,
            may_be_compressed: true,
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_binary { "Binary" } else { "Text" };
        f.debug_tuple(name).field(&self.packet_bytes()).finish()
    }
}

/// A packet with its attachments, which no other packet may separate. Cloning it costs one
/// reference count.
#[derive(Clone)]
pub struct Message(Frames);

#[derive(Clone)]
enum Frames {
    Single(Frame),
    /// A packet and its attachments: the first `plain` of these. What follows is for those who read
    /// compressed messages, see `compression`.
    Many {
        frames: Arc<[Frame]>,
        plain: usize,
    },
}

impl Message {
    /// The frames, to be sent one after the other.
    #[inline]
    pub fn frames(&self) -> &[Frame] {
        match &self.0 {
            Frames::Single(frame) => core::slice::from_ref(frame),
            Frames::Many { frames, plain } => frames.get(..*plain).unwrap_or_default(),
        }
    }

    /// The WebSocket frames, one after the other. A message that nobody else has is given away
    /// without a reference being counted.
    pub fn into_websocket(self, mut take: impl FnMut(Bytes)) {
        match self.0 {
            Frames::Single(frame) => take(frame.bytes),
            Frames::Many { frames, plain } => {
                frames.iter().take(plain).for_each(|frame| take(frame.bytes.clone()));
            }
        }
    }

    /// The bytes of all its frames, WebSocket headers included.
    pub fn websocket_bytes(&self) -> usize {
        self.frames().iter().map(|frame| frame.websocket().len()).sum()
    }

    /// An event. `args` become its arguments as [`codec::args`](crate::codec::args) tells; `ack` is
    /// the acknowledgement that it asks for. `namespace` begins with `/` and holds no comma.
    ///
    /// # Errors
    ///
    /// If the name is reserved, or `args` cannot be encoded.
    pub fn event<T: Serialize + ?Sized>(
        encoder: &mut Encoder,
        namespace: &str,
        event: &str,
        args: &T,
        ack: Option<AckId>,
    ) -> Result<Self, EncodeError> {
        let json = encoder.begin_event(namespace, event, args, ack)?;
        json.push(b']');
        Ok(encoder.finish(b'2'))
    }

    /// An event that a client can tell the server later as the last one that it got: `offset`
    /// stands behind the arguments, as a string of decimal digits ("connection state recovery").
    ///
    /// # Errors
    ///
    /// As for [`event`](Self::event).
    pub fn event_with_offset<T: Serialize + ?Sized>(
        encoder: &mut Encoder,
        namespace: &str,
        event: &str,
        args: &T,
        offset: u64,
    ) -> Result<Self, EncodeError> {
        let json = encoder.begin_event(namespace, event, args, None)?;
        json.extend_from_slice(b",\"");
        write_decimal(json, offset);
        json.extend_from_slice(b"\"]");
        Ok(encoder.finish(b'2'))
    }

    /// The acknowledgement `id`, with the arguments `args`.
    ///
    /// # Errors
    ///
    /// If `args` cannot be encoded.
    pub fn ack<T: Serialize + ?Sized>(
        encoder: &mut Encoder,
        namespace: &str,
        id: AckId,
        args: &T,
    ) -> Result<Self, EncodeError> {
        let output = encoder.begin(namespace, Some(id));
        output.json.push(b'[');
        args::encode(args, output, false)?;
        output.json.push(b']');
        Ok(encoder.finish(b'3'))
    }

    /// The server's confirmation that the client has joined `namespace` as socket `sid`. `pid` is
    /// the secret with which it can recover its state later.
    pub fn connect(namespace: &str, sid: &str, pid: Option<&str>) -> Self {
        // Enough for both ids and most names.
        let mut encoder = Encoder::with_capacity(128);
        let json = &mut encoder.begin(namespace, None).json;
        json.extend_from_slice(br#"{"sid":"#);
        write_string(json, sid);
        if let Some(pid) = pid {
            json.extend_from_slice(br#","pid":"#);
            write_string(json, pid);
        }
        json.push(b'}');
        encoder.finish(b'0')
    }

    /// A client's request to join `namespace`. `auth` must be an object; binary data in it becomes
    /// an array of numbers.
    ///
    /// # Errors
    ///
    /// If `auth` cannot be encoded.
    pub fn connect_request<T: Serialize + ?Sized>(
        encoder: &mut Encoder,
        namespace: &str,
        auth: Option<&T>,
    ) -> Result<Self, EncodeError> {
        let json = &mut encoder.begin(namespace, None).json;
        if let Some(auth) = auth {
            args::encode_plain(auth, json)?;
        }
        Ok(encoder.finish(b'0'))
    }

    /// The refusal to let the client join `namespace`. Binary data in `data` becomes an array of
    /// numbers.
    ///
    /// # Errors
    ///
    /// If `data` cannot be encoded.
    pub fn connect_error<T: Serialize + ?Sized>(
        encoder: &mut Encoder,
        namespace: &str,
        message: &str,
        data: Option<&T>,
    ) -> Result<Self, EncodeError> {
        let json = &mut encoder.begin(namespace, None).json;
        json.extend_from_slice(br#"{"message":"#);
        write_string(json, message);
        if let Some(data) = data {
            json.extend_from_slice(br#","data":"#);
            args::encode_plain(data, json)?;
        }
        json.push(b'}');
        Ok(encoder.finish(b'4'))
    }

    /// The refusal of a namespace that does not exist.
    pub fn invalid_namespace(namespace: &str) -> Self {
        let mut encoder = Encoder::default();
        let json = &mut encoder.begin(namespace, None).json;
        json.extend_from_slice(br#"{"message":"Invalid namespace"}"#);
        encoder.finish(b'4')
    }

    /// One side leaves `namespace`.
    pub fn disconnect(namespace: &str) -> Self {
        let mut encoder = Encoder::default();
        encoder.begin(namespace, None);
        encoder.finish(b'1')
    }

    /// Engine.IO: the session ends.
    pub fn close() -> Self {
        Self::from(Frame::from_static(b"\x81\x011"))
    }

    /// Engine.IO: asks for a pong.
    pub fn ping() -> Self {
        Self::from(Frame::from_static(b"\x81\x012"))
    }

    /// Engine.IO: answers a ping.
    pub fn pong() -> Self {
        Self::from(Frame::from_static(b"\x81\x013"))
    }

    /// Engine.IO: probes a new transport.
    pub fn ping_probe() -> Self {
        Self::from(Frame::from_static(b"\x81\x062probe"))
    }

    /// Engine.IO: answers the probe of a new transport.
    pub fn pong_probe() -> Self {
        Self::from(Frame::from_static(b"\x81\x063probe"))
    }

    /// Engine.IO: the probed transport becomes the session's.
    pub fn upgrade() -> Self {
        Self::from(Frame::from_static(b"\x81\x015"))
    }

    /// Engine.IO: nothing, which releases a pending poll.
    pub fn noop() -> Self {
        Self::from(Frame::from_static(b"\x81\x016"))
    }
}

impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        Self(Frames::Single(frame))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.frames()).finish()
    }
}

/// Memory in which messages are encoded before their size is known, to be used again and again.
#[derive(Debug, Default)]
pub struct Encoder {
    output: Output,
}

impl Encoder {
    /// Memory past this is returned after the message that needed it.
    const KEPT_BYTES_MAX: usize = 64 << 10;

    /// An encoder, without memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with_capacity(bytes: usize) -> Self {
        let mut encoder = Self::default();
        encoder.output.json.reserve(bytes);
        encoder
    }

    /// Begins a packet behind the room for what is known only at its end.
    #[inline]
    fn begin(&mut self, namespace: &str, ack: Option<AckId>) -> &mut Output {
        // An encoding that failed has left its parts here.
        let Output { json, attachments } = &mut self.output;
        attachments.clear();
        json.resize(BODY_START, 0);
        if namespace != "/" {
            json.extend_from_slice(namespace.as_bytes());
            json.push(b',');
        }
        if let Some(id) = ack {
            write_decimal(json, id.get());
        }
        &mut self.output
    }

    /// Begins an event, and writes it up to its last argument.
    #[inline]
    fn begin_event<T: Serialize + ?Sized>(
        &mut self,
        namespace: &str,
        event: &str,
        args: &T,
        ack: Option<AckId>,
    ) -> Result<&mut Vec<u8>, EncodeError> {
        if is_reserved(event.as_bytes()) {
            return Err(EncodeError::ReservedName);
        }
        let output = self.begin(namespace, ack);
        output.json.push(b'[');
        write_string(&mut output.json, event);
        args::encode(args, output, true)?;
        Ok(&mut output.json)
    }

    /// Ends a packet of type `kind`, or of the binary type that corresponds to it.
    #[inline]
    fn finish(&mut self, kind: u8) -> Message {
        let Output { json, attachments } = &mut self.output;
        let packet_start = write_packet_prefix(json, kind, attachments.len());
        let packet_len = json.len() - packet_start;
        let header = websocket::header(Opcode::Text, packet_len);
        let start = write_before(json, packet_start, &header);
        let frame = Frame {
            bytes: Bytes::copy_from_slice(json.get(start..).unwrap_or_default()),
            packet_start: (packet_start - start) as u8,
            is_binary: false,
            may_be_compressed: true,
        };
        if json.capacity() > Self::KEPT_BYTES_MAX {
            *json = Vec::new();
        }
        if attachments.is_empty() {
            return Message::from(frame);
        }
        let frames: Arc<[_]> = core::iter::once(frame).chain(attachments.drain(..)).collect();
        Message(Frames::Many { plain: frames.len(), frames })
    }
}

/// Writes `4`, the packet type and the number of attachments in front of [`BODY_START`]. Returns
/// where they begin.
#[inline]
fn write_packet_prefix(json: &mut [u8], kind: u8, attachments: usize) -> usize {
    if attachments == 0 {
        return write_before(json, BODY_START, &[b'4', kind]);
    }
    let mut count = itoa::Buffer::new();
    let start = write_before(json, BODY_START, b"-");
    let start = write_before(json, start, count.format(attachments).as_bytes());
    write_before(json, start, &[b'4', kind + 3])
}

/// Writes `bytes` so that they end at `end`. Returns where they begin.
#[inline]
fn write_before(room: &mut [u8], end: usize, bytes: &[u8]) -> usize {
    let start = end.saturating_sub(bytes.len());
    if let Some(room) = room.get_mut(start..end) {
        room.copy_from_slice(bytes);
    }
    start
}
