//! One WebSocket's bytes: reading into a shared buffer, writing with as few calls as possible.

mod buffers;
mod closing;

pub(crate) use buffers::{Buffers, Packet, Work};
pub(crate) use closing::Closing;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::rt::{Read, ReadBuf, Write};
use hyper::upgrade::Upgraded;
use sansocket_core::BinaryForm;
use sansocket_core::codec::websocket::{
    self, CloseCode, Decoder, DecoderConfig, FrameHeader, Message, Opcode, Role, close_payload,
    encode_close, encode_pong,
};

use crate::deflate;
use crate::masking::{masked, masked_frame};

/// What one read takes at most. A read that fills it is followed by another. More than the 64 KiB
/// that files are often cut into: with the packets around it, such a piece fits.
pub(crate) const READ_BYTES: usize = 128 << 10;
/// The same for a session that is one of the busy, whose turns are short.
pub(crate) const BUSY_READ_BYTES: usize = 16 << 10;
/// The same for a peer whose reads bring very many frames: what is not decoded at once is kept.
const DENSE_READ_BYTES: usize = 8 << 10;
/// Frames that are decoded at once. A read holds up to twenty thousand, of a peer that means no good.
const FRAMES_MAX: usize = 32;
/// So few frames in one read make a peer no longer dense.
const SPARSE_FRAMES: usize = 16;

/// What inflating comes to at once, after which the rest of a read waits: it may become a thousand
/// times its size, or be nothing but the beginnings and ends of blocks. This is looked at after so
/// many bytes.
const INFLATED_BYTES: usize = 64 << 10;
const COMPRESSED_BYTES: usize = 128;

/// Small frames are gathered up to this size, larger ones are written from where they are.
const GATHER_BYTES: usize = 16 << 10;

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
    /// What was read and is still to be decoded.
    unread: Option<Box<Unread>>,
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

/// The rest of a read.
struct Unread {
    bytes: Vec<u8>,
    /// Where in it the rest begins.
    start: usize,
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
            unread: None,
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

    /// Reads once, at most `bytes_max`, into `buffers.messages`. Control frames are answered here and
    /// not shown.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
        bytes_max: usize,
    ) -> Poll<Result<(), End>> {
        if let Some(mut unread) = self.unread.take() {
            let input = unread.bytes.get_mut(unread.start..).unwrap_or_default();
            let (result, rest_bytes) = self.decode(input, buffers);
            if rest_bytes > 0 {
                unread.start = unread.bytes.len() - rest_bytes;
                self.unread = Some(unread);
            }
            return Poll::Ready(result);
        }
        let size = if self.is_dense { DENSE_READ_BYTES } else { bytes_max };
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
        buffers.work.bytes_read += length;
        if self.violated {
            return Poll::Ready(Ok(()));
        }
        let steps_before = buffers.work.steps;
        // Taken out, because what it has goes to the other buffers.
        let mut read = std::mem::take(&mut buffers.read);
        let input = read.get_mut(..length).unwrap_or_default();
        let (result, rest_bytes) = self.decode(input, buffers);
        if rest_bytes > 0 {
            let rest = input.get(length - rest_bytes..).unwrap_or_default();
            self.unread = Some(Box::new(Unread { bytes: rest.to_vec(), start: 0 }));
            self.is_dense = true;
        } else if buffers.work.steps - steps_before < SPARSE_FRAMES {
            self.is_dense = false;
        }
        buffers.read = read;
        Poll::Ready(result)
    }

    /// Decodes `input`: of it, so many bytes are left for another time.
    #[inline]
    fn decode(&mut self, mut input: &mut [u8], buffers: &mut Buffers) -> (Result<(), End>, usize) {
        let mut inflated = 0;
        for _ in 0..FRAMES_MAX {
            let frame = match &self.compression {
                None => self.decoder.decode(&mut input),
                Some(_) => inflate_some(&mut self.decoder, &mut input, &mut inflated),
            };
            buffers.work.steps += 1;
            match frame {
                Ok(None) if input.is_empty() => break,
                Ok(None) => {}
                Ok(Some(message @ (Message::Text(_) | Message::Binary(_)))) => {
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
                    return (Err(End::Clean), 0);
                }
                Err(error) => {
                    self.violated = true;
                    self.queue_close(Some(error.close_code()));
                    return (Err(End::Violation), 0);
                }
            }
            if inflated > INFLATED_BYTES {
                break;
            }
        }
        buffers.work.bytes_read += inflated;
        (Ok(()), input.len())
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
        while next < frames.len() {
            let gather = &mut buffers.gather;
            gather.clear();
            let mut end = next;
            while let Some(frame) = frames.get(end) {
                // A frame alone needs no copy.
                let is_alone = end == next && end + 1 == frames.len();
                if is_alone || gather.len() + frame.len() > GATHER_BYTES {
                    break;
                }
                gather.extend_from_slice(frame);
                end += 1;
            }
            // The one that is too large goes with those before it, from where it is.
            let large = frames.get(end).map_or(&[][..], Bytes::as_ref);
            let (written, result) = write_all(&mut self.stream, cx, gather, large);
            if written < gather.len() + large.len() {
                result?;
                if let Some(rest) = gather.get(written..).filter(|rest| !rest.is_empty()) {
                    self.unsent.push(Bytes::copy_from_slice(rest));
                }
                if let Some(large) = frames.get(end) {
                    self.unsent.push(large.slice(written.saturating_sub(gather.len())..));
                }
                self.unsent.extend(frames.drain(end..).skip(1));
                break;
            }
            next = end + 1;
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

/// Decodes the next piece of what may be compressed, and adds to `work` what that has come to.
fn inflate_some(
    decoder: &mut Decoder,
    input: &mut &mut [u8],
    work: &mut usize,
) -> Result<Option<Message>, websocket::Error> {
    let count = input.len().min(COMPRESSED_BYTES);
    let mut piece = input.get_mut(..count).unwrap_or_default();
    let result = decoder.decode(&mut piece);
    let done = count - piece.len();
    *input = std::mem::take(input).get_mut(done..).unwrap_or_default();
    *work += decoder.take_work();
    result
}

/// Writes `head` and `tail` until the network takes no more: how much it took, and the error if there
/// was one.
fn write_all(
    stream: &mut Upgraded,
    cx: &mut Context<'_>,
    mut head: &[u8],
    mut tail: &[u8],
) -> (usize, io::Result<()>) {
    let mut stream = Pin::new(stream);
    let mut written = 0;
    loop {
        let result = match (head, tail) {
            ([], []) => return (written, Ok(())),
            (chunk, []) | ([], chunk) => stream.as_mut().poll_write(cx, chunk),
            (chunk, _) if !stream.is_write_vectored() => stream.as_mut().poll_write(cx, chunk),
            (head, tail) => {
                let chunks = [IoSlice::new(head), IoSlice::new(tail)];
                stream.as_mut().poll_write_vectored(cx, &chunks)
            }
        };
        let length = match result {
            Poll::Ready(Ok(0)) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(length)) => length,
            Poll::Ready(Err(error)) => return (written, Err(error)),
            Poll::Pending => return (written, Ok(())),
        };
        written += length;
        tail = &tail[length.saturating_sub(head.len()).min(tail.len())..];
        head = &head[length.min(head.len())..];
    }
}
