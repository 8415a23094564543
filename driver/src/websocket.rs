//! One WebSocket's bytes: reading into a shared buffer, writing with as few calls as possible.

mod closing;

pub(crate) use closing::Closing;

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::rt::{Read, ReadBuf, Write};
use hyper::upgrade::Upgraded;
use sansocket_core::codec::engine::Inbound;
use sansocket_core::codec::websocket::{
    CloseCode, Decoder, DecoderConfig, FrameHeader, Message, Opcode, Role, close_payload,
    encode_close, encode_pong,
};
use sansocket_core::{AckOutcome, BinaryForm, EngineError, TransportKey};

use crate::deflate;
use crate::masking::{masked, masked_frame};

/// What one read takes at most. A read that fills it is followed by another. More than the 64 KiB
/// that files are often cut into: with the packets around it, such a piece fits.
const READ_BYTES: usize = 128 << 10;
/// The same for a peer whose reads bring very many frames: with them, a read's work is not its bytes.
const DENSE_READ_BYTES: usize = 8 << 10;
/// What is read in one run of a task before other tasks get their chance: bytes, and frames, of which
/// a peer that means no good sends as many as fit. This is how long others wait for each of those.
const BYTES_MAX: usize = 512 << 10;
const FRAMES_MAX: usize = 512;
/// So many frames in one read make it dense, so few end that.
const DENSE_FRAMES: usize = 512;
const SPARSE_FRAMES: usize = 64;

/// What compressed messages come to in one read, after which the rest of it waits: it may inflate to a
/// thousand times its size. One message is always taken.
const INFLATED_BYTES: usize = 256 << 10;

/// Small frames are gathered up to this size, larger ones are written from where they are.
const GATHER_BYTES: usize = 16 << 10;

/// Messages, packets and acknowledgements of one turn for which room is kept.
const KEPT_CAPACITY: usize = 512;

/// A stream after its upgrade.
///
/// Between turns it keeps a partial frame, if there is one, and bytes that the network did not
/// take yet; an idle WebSocket has neither, and no buffers.
pub(crate) struct WebSocket {
    stream: Upgraded,
    /// Our side.
    role: Role,
    decoder: Decoder,
    /// How binary packets go out, and of which revision all packets are.
    pub(crate) form: BinaryForm,
    compression: deflate::Slot,
    /// What the network did not take yet.
    unsent: Vec<Bytes>,
    /// Whether the stream took bytes that it has not passed on, as TLS does when the network is
    /// full.
    is_held_back: bool,
    /// The answer to the last ping.
    pong: Option<Bytes>,
    /// Whether a close frame was queued; it is the last frame of either side.
    close_queued: bool,
    /// Whether the peer broke the WebSocket protocol; what it sends is no longer looked at.
    violated: bool,
    /// Whether our half of the stream is closed.
    shut_down: bool,
    /// The last reads brought very many frames.
    is_dense: bool,
}

/// Why a WebSocket brings nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The peer closed it.
    Clean,
    /// The peer broke the WebSocket protocol, or a limit; a close frame that says so is queued.
    Violation,
    /// The stream failed.
    Failed,
}

/// Buffers that the WebSockets of one thread share, because only one is at work at a time.
pub(crate) struct Buffers {
    read: Box<[u8]>,
    gather: Vec<u8>,
    /// Frames to be written, drained by [`WebSocket::write`].
    pub(crate) frames: Vec<Bytes>,
    /// Messages to be written in another form than they have, see [`WebSocket::takes_frames`].
    pub(crate) to_encode: Vec<sansocket_core::Message>,
    /// Messages that one read brought, for the caller to drain.
    pub(crate) messages: Vec<Message>,
    /// What they are, until the machine is given it.
    pub(crate) packets: Vec<Packet>,
    /// Acknowledgements that one look at the machine brought, for the caller to drain.
    pub(crate) outcomes: Vec<AckOutcome>,
    /// What was read since they were taken.
    pub(crate) bytes_read: usize,
    pub(crate) frames_read: usize,
}

/// A packet, and the WebSocket that it came on.
pub(crate) type Packet = (TransportKey, Result<Inbound, EngineError>);

thread_local! {
    static BUFFERS: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

impl Buffers {
    /// This thread's buffers, or new ones where they are in use further up the stack.
    pub(crate) fn take() -> Box<Self> {
        BUFFERS.take().unwrap_or_else(|| {
            Box::new(Self {
                read: vec![0; READ_BYTES].into_boxed_slice(),
                gather: Vec::with_capacity(GATHER_BYTES),
                frames: Vec::new(),
                to_encode: Vec::new(),
                messages: Vec::new(),
                packets: Vec::new(),
                outcomes: Vec::new(),
                bytes_read: 0,
                frames_read: 0,
            })
        })
    }

    /// Whether so much was read since they were taken that others are to get their chance.
    pub(crate) fn have_read_much(&self) -> bool {
        self.bytes_read >= BYTES_MAX || self.frames_read >= FRAMES_MAX
    }

    /// Leaves the buffers for the next one.
    pub(crate) fn put_back(mut self: Box<Self>) {
        // What a burst needed is not kept.
        self.messages.shrink_to(KEPT_CAPACITY);
        self.packets.shrink_to(KEPT_CAPACITY);
        self.outcomes.shrink_to(KEPT_CAPACITY);
        (self.bytes_read, self.frames_read) = (0, 0);
        BUFFERS.set(Some(self));
    }
}

impl WebSocket {
    /// `role` is ours.
    pub(crate) fn new(
        stream: Upgraded,
        role: Role,
        config: DecoderConfig,
        compression: deflate::Slot,
    ) -> Self {
        Self {
            stream,
            role,
            decoder: deflate::decoder(&compression, role, config),
            form: BinaryForm::default(),
            compression,
            unsent: Vec::new(),
            is_held_back: false,
            pong: None,
            close_queued: false,
            violated: false,
            shut_down: false,
            is_dense: false,
        }
    }

    /// Whether messages go out in the frames that they have. Otherwise they are to be
    /// [encoded](Self::encode).
    #[inline]
    pub(crate) fn takes_frames(&self) -> bool {
        self.form == BinaryForm::Bare && self.compression.is_none()
    }

    /// The frames of a message, as a server sends them to this client.
    pub(crate) fn encode(
        &mut self,
        message: &sansocket_core::Message,
        mut take: impl FnMut(Bytes),
    ) {
        match &mut self.compression {
            Some(compression) => compression.encode(message, self.form, take),
            None => {
                for frame in message.frames() {
                    frame.websocket_as(self.form, &mut take);
                }
            }
        }
    }

    /// Adds the frames of a message, as a client sends them.
    ///
    /// # Errors
    ///
    /// Without randomness.
    pub(crate) fn encode_masked(
        &mut self,
        message: &sansocket_core::Message,
        frames: &mut Vec<Bytes>,
    ) -> io::Result<()> {
        let may_be_compressed = message.may_be_compressed();
        for frame in message.frames() {
            let opcode = if frame.is_binary() { Opcode::Binary } else { Opcode::Text };
            let packet = frame.packet();
            let plain = FrameHeader::new(opcode, 0);
            let masked = match &mut self.compression {
                Some(compression) if may_be_compressed => {
                    compression.compress(packet, |compressed| match compressed {
                        Some(payload) => masked_frame(FrameHeader { rsv1: true, ..plain }, payload),
                        None => masked_frame(plain, packet),
                    })
                }
                Some(_) | None => masked_frame(plain, packet),
            };
            frames.push(masked?);
        }
        Ok(())
    }

    /// Reads once, into `buffers.messages`. Control frames are answered here and not shown.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
    ) -> Poll<Result<(), End>> {
        if let Some(compression) = &mut self.compression
            && let Some(length) = compression.put_back(&mut buffers.read)
        {
            return Poll::Ready(self.decode(length, buffers));
        }
        let size = if self.is_dense { DENSE_READ_BYTES } else { READ_BYTES };
        let mut read = ReadBuf::new(buffers.read.get_mut(..size).unwrap_or_default());
        match ready!(Pin::new(&mut self.stream).poll_read(cx, read.unfilled())) {
            Ok(()) => {}
            // TLS tells the end of the stream below it from its own end. To whoever speaks a
            // protocol with ends of its own, either is an end.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Poll::Ready(Err(End::Clean));
            }
            Err(_) => return Poll::Ready(Err(End::Failed)),
        }
        let length = read.filled().len();
        if length == 0 {
            return Poll::Ready(Err(End::Clean));
        }
        buffers.bytes_read += length;
        if self.violated {
            return Poll::Ready(Ok(()));
        }
        let frames_before = buffers.frames_read;
        let result = self.decode(length, buffers);
        match buffers.frames_read - frames_before {
            ..SPARSE_FRAMES => self.is_dense = false,
            DENSE_FRAMES.. => self.is_dense = true,
            _ => {}
        }
        Poll::Ready(result)
    }

    /// Decodes the first `length` bytes that were read.
    #[inline]
    fn decode(&mut self, length: usize, buffers: &mut Buffers) -> Result<(), End> {
        let Some(mut input) = buffers.read.get_mut(..length) else { return Err(End::Failed) };
        let mut inflated = 0;
        loop {
            let frame = self.decoder.decode(&mut input);
            buffers.frames_read += 1;
            match frame {
                Ok(None) => {
                    buffers.bytes_read += inflated;
                    return Ok(());
                }
                Ok(Some(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    if let Some(compression) = &mut self.compression {
                        inflated += payload_bytes(&message);
                        if inflated > INFLATED_BYTES {
                            compression.keep_unread(input);
                            input = &mut [];
                        }
                    }
                    buffers.messages.push(message);
                }
                Ok(Some(Message::Ping(data))) => {
                    // One pong answers all pings before it (RFC 6455, 5.5.3), so a flood of pings
                    // from a peer that does not read keeps no more than one.
                    if !self.close_queued {
                        self.pong = self.pong_frame(&data);
                    }
                }
                Ok(Some(Message::Pong(_))) => {}
                Ok(Some(Message::Close(frame))) => {
                    self.queue_close(frame.map(|frame| frame.code));
                    return Err(End::Clean);
                }
                Err(error) => {
                    self.violated = true;
                    self.queue_close(Some(error.close_code()));
                    return Err(End::Violation);
                }
            }
        }
    }

    /// Queues a close frame, unless one was queued before.
    fn queue_close(&mut self, code: Option<CloseCode>) {
        if !std::mem::replace(&mut self.close_queued, true) {
            self.unsent.extend(self.pong.take());
            self.unsent.extend(self.close_frame(code));
        }
    }

    /// Puts a close frame without a code behind `frames`, which are about to be written.
    pub(crate) fn queue_close_behind(&mut self, frames: &mut Vec<Bytes>) {
        if !std::mem::replace(&mut self.close_queued, true) {
            frames.extend(self.pong.take());
            frames.extend(self.close_frame(None));
        }
    }

    /// `None` without randomness, which a client needs; the peer then sees the stream end.
    fn close_frame(&self, code: Option<CloseCode>) -> Option<Bytes> {
        match self.role {
            Role::Server => Some(encode_close(code, "")),
            Role::Client => masked(Opcode::Close, &close_payload(code, "")).ok(),
        }
    }

    fn pong_frame(&self, data: &[u8]) -> Option<Bytes> {
        match self.role {
            Role::Server => Some(encode_pong(data)),
            Role::Client => masked(Opcode::Pong, data).ok(),
        }
    }

    /// Keeps frames for the next write.
    pub(crate) fn keep(&mut self, frames: &mut Vec<Bytes>) {
        self.unsent.append(frames);
    }

    /// Whether everything that was given to [`write`](Self::write) is on its way.
    pub(crate) fn is_flushed(&self) -> bool {
        self.unsent.is_empty() && self.pong.is_none() && !self.is_held_back
    }

    /// Writes what is left from before and `buffers.frames`, which it empties. What the network
    /// does not take now is kept.
    ///
    /// A pong goes last, and only when everything before it has been taken: until then a newer one
    /// replaces it, so a peer that pings and does not read is owed one pong, not one for each.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> io::Result<()> {
        if buffers.frames.is_empty() && self.is_flushed() {
            return Ok(());
        }
        let mut result = self.write_frames(cx, buffers);
        if result.is_ok()
            && self.unsent.is_empty()
            && let Some(pong) = self.pong.take()
        {
            buffers.frames.push(pong);
            result = self.write_frames(cx, buffers);
        }
        if result.is_ok() {
            result = self.flush(cx);
        }
        // Also after a failure, or the next WebSocket of this thread would send them.
        buffers.frames.clear();
        result
    }

    fn write_frames(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) -> io::Result<()> {
        let frames = &mut buffers.frames;
        if !self.unsent.is_empty() {
            frames.splice(0..0, self.unsent.drain(..));
        }
        let mut next = 0;
        while let Some(frame) = frames.get(next) {
            let gather = &mut buffers.gather;
            gather.clear();
            // A frame alone needs no copy.
            let is_last = next + 1 == frames.len();
            let mut end = if is_last { next + 1 } else { next };
            while let Some(frame) = frames.get(end) {
                if gather.len() + frame.len() > GATHER_BYTES {
                    break;
                }
                gather.extend_from_slice(frame);
                end += 1;
            }
            let (chunk, end) =
                if end <= next + 1 { (&frame[..], next + 1) } else { (&gather[..], end) };
            let (written, result) = write_all(&mut self.stream, cx, chunk);
            if written < chunk.len() {
                result?;
                let rest = if end == next + 1 {
                    frame.slice(written..)
                } else {
                    Bytes::copy_from_slice(&chunk[written..])
                };
                self.unsent.push(rest);
                self.unsent.extend(frames.drain(end..));
                break;
            }
            next = end;
        }
        frames.clear();
        Ok(())
    }

    /// Makes the stream pass on what it took.
    fn flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.is_held_back = flushed.is_pending();
        match flushed {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    /// Closes our half of the stream behind the last frame, where the peer broke the protocol: it
    /// need not be expected to answer a close frame, but does see the end. The other half stays
    /// open for a while, because what is under way from the peer could otherwise destroy the close
    /// frame that is under way to it (RFC 6455, 7.1.1).
    pub(crate) fn shut_down_if_violated(&mut self, cx: &mut Context<'_>) {
        if self.violated && !self.shut_down && self.is_flushed() {
            self.shut_down = Pin::new(&mut self.stream).poll_shutdown(cx).is_ready();
        }
    }

    /// Gives up what the network did not take.
    pub(crate) fn discard(&mut self) {
        self.unsent.clear();
        self.pong = None;
        self.is_held_back = false;
    }
}

fn payload_bytes(message: &Message) -> usize {
    match message {
        Message::Text(payload) | Message::Binary(payload) => payload.len(),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => 0,
    }
}

/// Writes until the network takes no more: how much it took, and the error if there was one.
fn write_all(stream: &mut Upgraded, cx: &mut Context<'_>, chunk: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < chunk.len() {
        match Pin::new(&mut *stream).poll_write(cx, &chunk[written..]) {
            Poll::Ready(Ok(0)) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(length)) => written += length,
            Poll::Ready(Err(error)) => return (written, Err(error)),
            Poll::Pending => return (written, Ok(())),
        }
    }
    (written, Ok(()))
}
