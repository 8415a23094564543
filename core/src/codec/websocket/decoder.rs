//! Bytes from the peer to messages.
//!
//! Two paths: a frame that is a whole message and lies in the input as a whole is turned into its
//! message directly; anything else goes through [`Partial`], which exists only as long as
//! something is incomplete.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{cmp, mem, str};

use bytes::Bytes;

#[cfg(feature = "deflate")]
use super::deflate::Agreed;
use super::{
    CloseCode, Error, FrameHeader, HEADER_BYTES_MAX, MessageKind, Opcode, Role, apply_mask,
    buffer::{append, take},
    inflate::{Inflater, compressed_bytes_max, history},
    utf8::Utf8Progress,
};
use crate::Limits;

/// The limits of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecoderConfig {
    /// The largest message, in bytes of payload over all its fragments; one more fails with
    /// [`Error::TooLarge`], as soon as a header announces it.
    pub message_bytes_max: usize,
    /// The most fragments of a message; one more fails with [`Error::TooManyFragments`].
    pub message_fragments_max: usize,
}

impl From<&Limits> for DecoderConfig {
    fn from(limits: &Limits) -> Self {
        Self {
            message_bytes_max: limits.max_payload,
            message_fragments_max: limits.message_fragments,
        }
    }
}

/// What the peer sent: a message, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text; the bytes are valid UTF-8.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
    /// Asks for a pong with the same payload, at most 125 bytes.
    Ping(Bytes),
    /// At most 125 bytes.
    Pong(Bytes),
    /// The last message: the decoder ignores whatever follows. `None` if no status was given.
    Close(Option<CloseFrame>),
}

/// Why the peer closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// Its status code.
    pub code: CloseCode,
    /// Its words, at most 123 bytes; often empty.
    pub reason: String,
}

/// Decodes the frames of one connection.
///
/// Holds at most one message, in at most [`DecoderConfig::message_bytes_max`] bytes, plus one
/// control frame; and nothing at all between messages. Its time is linear in its input. Where the
/// peer may compress, see [`deflate`](super::deflate) for what is held, and the time is linear in what
/// is inflated too.
#[derive(Debug)]
pub struct Decoder {
    partial: Option<Box<Partial>>,
    message_bytes_max: usize,
    message_fragments_max: u32,
    role: Role,
    peer: Peer,
    state: State,
    /// See [`take_work`](Self::take_work).
    work: u32,
}

/// Whether the peer may send compressed messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "deflate"), expect(dead_code, reason = "it never may"))]
enum Peer {
    SendsPlain,
    /// Each of them refers to nothing before it.
    Deflates,
    /// They refer to one another.
    KeepsContext,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Open,
    /// The peer has sent its close frame.
    Closed,
    Failed(Error),
}

impl Decoder {
    /// A decoder for the end `role` of a connection on which nothing was received yet.
    pub fn new(role: Role, config: DecoderConfig) -> Self {
        Self {
            partial: None,
            message_bytes_max: config.message_bytes_max,
            message_fragments_max: u32::try_from(config.message_fragments_max).unwrap_or(u32::MAX),
            role,
            peer: Peer::SendsPlain,
            state: State::Open,
            work: 0,
        }
    }

    /// Takes compressed messages too, as was agreed. To be called before anything is decoded.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(mut self, agreed: Agreed) -> Self {
        let peer = match self.role {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        self.peer = if agreed.keeps_context(peer) { Peer::KeepsContext } else { Peer::Deflates };
        self
    }

    /// Takes bytes off the front of `input`, up to the end of the next message.
    ///
    /// After `Some`, call it again with the rest. `None` means that `input` is used up; what is
    /// incomplete was copied, and the buffer behind `input`, in which payloads are unmasked in
    /// place, can be reused. After an error every further call returns the same error, and
    /// after a close frame `None`.
    ///
    /// The messages and the error do not depend on how the bytes are divided into calls.
    ///
    /// # Errors
    ///
    /// As [`Error`](enum@super::Error) lists them, each as soon as the bytes that are there leave no doubt.
    pub fn decode(&mut self, input: &mut &mut [u8]) -> Result<Option<Message>, Error> {
        match self.state {
            State::Open => {}
            State::Closed => {
                *input = &mut [];
                return Ok(None);
            }
            State::Failed(error) => return Err(error),
        }
        let result = self.advance(input);
        match &result {
            Ok(Some(Message::Close(_))) => self.end(State::Closed),
            Err(error) => self.end(State::Failed(*error)),
            Ok(_) => {}
        }
        result
    }

    /// Bytes allocated for what is incomplete; zero between messages, unless compressed messages
    /// refer to earlier ones.
    pub fn buffered_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| {
            let message = partial.message.as_ref().map_or(0, PartialMessage::buffered_bytes);
            let (control, history) = (partial.control.capacity(), partial.history.capacity());
            size_of::<Partial>() + message + control + history
        })
    }

    /// How much was inflated since this was asked for last, in bytes, with something for each block of
    /// compressed data: what of it takes the more time, a peer decides. Whoever is to be fair to others
    /// gives [`decode`](Self::decode) no more than some KiB at once, and looks at this in between.
    pub fn take_work(&mut self) -> usize {
        mem::take(&mut self.work) as usize
    }

    fn end(&mut self, state: State) {
        self.state = state;
        self.partial = None;
    }

    fn advance(&mut self, input: &mut &mut [u8]) -> Result<Option<Message>, Error> {
        while !input.is_empty() {
            let message = match &mut self.partial {
                Some(partial) if partial.frame.is_some() => {
                    partial.resume_frame(input, &mut self.work)?
                }
                _ => match self.read_header(input)? {
                    Some(header) => self.start_frame(header, input)?,
                    None => return Ok(None),
                },
            };
            if self.partial.as_ref().is_some_and(|partial| partial.is_idle()) {
                self.partial = None;
            }
            if message.is_some() {
                return Ok(message);
            }
        }
        Ok(None)
    }

    /// The header of the next frame, or `None` if `input` ends before it does.
    fn read_header(&mut self, input: &mut &mut [u8]) -> Result<Option<FrameHeader>, Error> {
        let rsv1_allowed = cfg!(feature = "deflate") && self.peer != Peer::SendsPlain;
        let kept = self.partial.as_ref().map_or(0, |partial| partial.header_bytes);
        if kept == 0
            && let Some((header, len)) = FrameHeader::parse(input, self.role, rsv1_allowed)?
        {
            take(input, len);
            return Ok(Some(header));
        }
        let partial = self.partial.get_or_insert_default();
        let kept = usize::from(kept);
        let room = partial.header.get_mut(kept..).unwrap_or_default();
        let added = cmp::min(room.len(), input.len());
        for (to, from) in room.iter_mut().zip(input.iter()) {
            *to = *from;
        }
        let known = partial.header.get(..kept + added).unwrap_or_default();
        if let Some((header, len)) = FrameHeader::parse(known, self.role, rsv1_allowed)? {
            partial.header_bytes = 0;
            take(input, len - kept);
            Ok(Some(header))
        } else {
            // No header is longer than the room for it, so all of the input was added.
            partial.header_bytes = (kept + added) as u8;
            take(input, added);
            Ok(None)
        }
    }

    /// Handles the frame behind `header`, as far as it is there.
    fn start_frame(
        &mut self,
        header: FrameHeader,
        input: &mut &mut [u8],
    ) -> Result<Option<Message>, Error> {
        let FrameHeader { fin, rsv1, opcode, mask_key, .. } = header;
        let payload_bytes = self.check(&header)?;
        if payload_bytes <= input.len() && fin && opcode != Opcode::Continuation && !rsv1 {
            let payload = take(input, payload_bytes);
            if let Some(key) = mask_key {
                apply_mask(payload, key, 0);
            }
            return whole_message(opcode, payload).map(Some);
        }

        let partial = self.partial.get_or_insert_default();
        let arrived = match opcode {
            Opcode::Text => partial.start_message(MessageKind::Text),
            Opcode::Binary => partial.start_message(MessageKind::Binary),
            Opcode::Continuation => partial.continue_message(),
            Opcode::Close | Opcode::Ping | Opcode::Pong => 0,
        };
        if rsv1 {
            partial.begin_inflating(self.peer == Peer::KeepsContext, self.message_bytes_max);
        }
        // Only the last frame tells how large the message becomes.
        let buffer_bytes_max = if fin { arrived + payload_bytes } else { self.message_bytes_max };
        let remaining = payload_bytes;
        partial.frame = Some(PartialFrame { opcode, fin, mask_key, remaining, buffer_bytes_max });
        partial.resume_frame(input, &mut self.work)
    }

    /// Checks that a frame may come now and fits the limits; its length, if so.
    fn check(&self, header: &FrameHeader) -> Result<usize, Error> {
        let message = self.partial.as_ref().and_then(|partial| partial.message.as_ref());
        let room = match (header.opcode, message) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => usize::MAX,
            (Opcode::Text | Opcode::Binary, None) if header.rsv1 => {
                compressed_bytes_max(self.message_bytes_max)
            }
            (Opcode::Text | Opcode::Binary, None) => self.message_bytes_max,
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Error::ExpectedContinuation),
            (Opcode::Continuation, None) => return Err(Error::UnexpectedContinuation),
            (Opcode::Continuation, Some(message)) => {
                if message.fragments >= self.message_fragments_max {
                    return Err(Error::TooManyFragments);
                }
                match &message.inflater {
                    None => self.message_bytes_max.saturating_sub(message.buffer.len()),
                    Some(inflater) => inflater.room(),
                }
            }
        };
        match usize::try_from(header.payload_bytes) {
            Ok(payload_bytes) if payload_bytes <= room => Ok(payload_bytes),
            Ok(_) | Err(_) => Err(Error::TooLarge),
        }
    }
}

/// What is incomplete: a header, a frame, a message, or a message and one of the others.
#[derive(Debug, Default)]
struct Partial {
    /// The first `header_bytes` of a header.
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: u8,
    frame: Option<PartialFrame>,
    message: Option<PartialMessage>,
    /// The payload of a control frame.
    control: Vec<u8>,
    /// What compressed messages may refer to, if their sender keeps its context.
    history: Vec<u8>,
}

#[derive(Debug)]
struct PartialFrame {
    opcode: Opcode,
    fin: bool,
    /// Rotated as the payload arrives: its first byte is for the next byte.
    mask_key: Option<[u8; 4]>,
    /// Bytes of payload that have not arrived.
    remaining: usize,
    /// The most that the buffer which takes the payload may come to hold.
    buffer_bytes_max: usize,
}

#[derive(Debug)]
struct PartialMessage {
    kind: MessageKind,
    fragments: u32,
    buffer: Vec<u8>,
    /// Where in `buffer` it begins. What is before it came before it.
    start: usize,
    utf8: Utf8Progress,
    /// Of a compressed message.
    inflater: Option<Box<Inflater>>,
    /// Whether the next one may refer to it.
    is_kept: bool,
}

impl Partial {
    fn is_idle(&self) -> bool {
        self.header_bytes == 0
            && self.frame.is_none()
            && self.message.is_none()
            && self.history.is_empty()
    }

    /// Starts a message; the bytes of it that have arrived, which is none.
    fn start_message(&mut self, kind: MessageKind) -> usize {
        self.message = Some(PartialMessage {
            kind,
            fragments: 1,
            buffer: Vec::new(),
            start: 0,
            utf8: Utf8Progress::default(),
            inflater: None,
            is_kept: false,
        });
        0
    }

    /// Makes the message that was started a compressed one.
    #[cold]
    fn begin_inflating(&mut self, is_kept: bool, message_bytes_max: usize) {
        let Some(message) = &mut self.message else { return };
        message.buffer = mem::take(&mut self.history);
        message.start = message.buffer.len();
        message.utf8 = Utf8Progress::behind(message.start);
        message.inflater = Inflater::start(message.start, message_bytes_max);
        message.is_kept = is_kept;
    }

    /// Counts a further fragment; the bytes of its message that have arrived.
    fn continue_message(&mut self) -> usize {
        self.message.as_mut().map_or(0, |message| {
            message.fragments += 1;
            message.buffer.len()
        })
    }

    /// Adds to the frame under way what `input` has of it, and completes it if that is all.
    /// `work` becomes more by what that took, where it is compressed.
    fn resume_frame(
        &mut self,
        input: &mut &mut [u8],
        work: &mut u32,
    ) -> Result<Option<Message>, Error> {
        let Some(frame) = &mut self.frame else { return Ok(None) };
        let chunk = frame.take_chunk(input);
        let PartialFrame { opcode, fin, remaining, buffer_bytes_max, .. } = *frame;
        if remaining == 0 {
            self.frame = None;
        }

        if opcode.is_control() {
            append(&mut self.control, chunk, buffer_bytes_max);
            if remaining > 0 {
                return Ok(None);
            }
            return whole_message(opcode, &mem::take(&mut self.control)).map(Some);
        }

        let Some(message) = &mut self.message else { return Ok(None) };
        let is_last = remaining == 0 && fin;
        let inflated = match &mut message.inflater {
            None => {
                append(&mut message.buffer, chunk, buffer_bytes_max);
                Ok(())
            }
            Some(inflater) => {
                let inflated = inflater.inflate(chunk, is_last, &mut message.buffer);
                *work = work.saturating_add(inflater.take_work());
                inflated
            }
        };
        if message.kind == MessageKind::Text {
            // Of several faults the first in the text counts, so that it does not depend on the
            // division of the input.
            message.utf8.advance(&message.buffer)?;
        }
        inflated?;
        if !is_last {
            return Ok(None);
        }
        let Some(message) = self.message.take() else { return Ok(None) };
        message.finish(&mut self.history).map(Some)
    }
}

impl PartialFrame {
    /// The next bytes of its payload, unmasked.
    fn take_chunk<'a>(&mut self, input: &mut &'a mut [u8]) -> &'a [u8] {
        let chunk = take(input, cmp::min(self.remaining, input.len()));
        self.remaining -= chunk.len();
        if let Some(key) = &mut self.mask_key {
            apply_mask(chunk, *key, 0);
            key.rotate_left(chunk.len() % 4);
        }
        chunk
    }
}

impl PartialMessage {
    fn buffered_bytes(&self) -> usize {
        let inflater = self.inflater.as_ref().map_or(0, |inflater| size_of_val(&**inflater));
        self.buffer.capacity() + inflater
    }

    /// The message. `kept` becomes what the next one may refer to.
    fn finish(self, kept: &mut Vec<u8>) -> Result<Message, Error> {
        let Self { kind, mut buffer, start, utf8, inflater, is_kept, .. } = self;
        if kind == MessageKind::Text {
            utf8.finish(&buffer)?;
        }
        let payload = if is_kept {
            let payload = Bytes::copy_from_slice(buffer.get(start..).unwrap_or_default());
            *kept = history(buffer);
            payload
        } else {
            if inflater.is_some() {
                buffer.shrink_to_fit();
            }
            Bytes::from(buffer)
        };
        Ok(match kind {
            MessageKind::Text => Message::Text(payload),
            MessageKind::Binary => Message::Binary(payload),
        })
    }
}

/// The message that one frame is.
fn whole_message(opcode: Opcode, payload: &[u8]) -> Result<Message, Error> {
    match opcode {
        Opcode::Text if !is_utf8(payload) => Err(Error::InvalidUtf8),
        Opcode::Text => Ok(Message::Text(Bytes::copy_from_slice(payload))),
        Opcode::Binary => Ok(Message::Binary(Bytes::copy_from_slice(payload))),
        Opcode::Ping => Ok(Message::Ping(Bytes::copy_from_slice(payload))),
        Opcode::Pong => Ok(Message::Pong(Bytes::copy_from_slice(payload))),
        Opcode::Close => close_frame(payload).map(Message::Close),
        Opcode::Continuation => Err(Error::UnexpectedContinuation),
    }
}

/// Most texts are ASCII, which is seen in a fraction of the time.
fn is_utf8(text: &[u8]) -> bool {
    text.is_ascii() || str::from_utf8(text).is_ok()
}

fn close_frame(payload: &[u8]) -> Result<Option<CloseFrame>, Error> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk().ok_or(Error::ClosePayload)?;
    let code = u16::from_be_bytes(*code);
    let code = CloseCode::new(code).ok_or(Error::CloseCode { code })?;
    let reason = str::from_utf8(reason).map_err(|_| Error::InvalidUtf8)?;
    Ok(Some(CloseFrame { code, reason: String::from(reason) }))
}
