//! Messages that are compressed for all recipients at once, for each, or not at all.
//!
//! A message for many has one more frame behind each of its own: what is sent to those who read
//! compressed messages, which is the frame itself where compression is not worth it.

use super::{Frame, Frames, Message};

#[cfg(feature = "deflate")]
use super::BinaryForm;
#[cfg(feature = "deflate")]
use crate::codec::websocket::deflate::{Deflater, Outgoing};
#[cfg(feature = "deflate")]
use crate::codec::websocket::{FrameHeader, Opcode, encode_frame_into};
#[cfg(feature = "deflate")]
use alloc::{sync::Arc, vec::Vec};
#[cfg(feature = "deflate")]
use bytes::Bytes;

impl Message {
    /// The same message, which is not to be compressed on any transport.
    #[must_use]
    pub fn uncompressed(mut self) -> Self {
        match &mut self.0 {
            Frames::Single(frame) => frame.may_be_compressed = false,
            Frames::Many { frames, plain } => {
                let plain_frames = frames.iter().take(*plain).cloned();
                let unwanted = |frame| Frame { may_be_compressed: false, ..frame };
                *frames = plain_frames.map(unwanted).collect();
            }
        }
        self
    }

    /// `false` if it was made so by [`uncompressed`](Self::uncompressed).
    pub fn may_be_compressed(&self) -> bool {
        self.frames().iter().all(|frame| frame.may_be_compressed)
    }
}

/// RFC 7692.
#[cfg(feature = "deflate")]
impl Message {
    /// The same message, compressed once for all recipients that can read it. Those that cannot get it
    /// as it is. Frames of less than `threshold` bytes, and what does not become shorter, stay as
    /// they are.
    #[must_use]
    pub fn compressed(self, deflater: &mut Deflater, threshold: usize) -> Self {
        let plain = self.frames();
        let is_worth_it = |frame: &Frame| frame.packet().len() >= threshold;
        if !self.may_be_compressed() || !plain.iter().any(is_worth_it) {
            return self;
        }
        let compress = |frame: &Frame| {
            let packet = Some(frame.packet()).filter(|_| is_worth_it(frame));
            match packet.and_then(|packet| deflater.compress_alone(packet)) {
                Some(payload) => Frame { bytes: compressed_frame(frame, payload), ..frame.clone() },
                None => frame.clone(),
            }
        };
        let compressed = plain.iter().map(compress).collect::<Vec<_>>();
        let frames: Arc<[_]> = plain.iter().cloned().chain(compressed).collect();
        Self(Frames::Many { plain: plain.len(), frames })
    }

    /// The WebSocket frames, one after the other, for a client with which compression was agreed and
    /// that wants binary data in that form. They are to be sent before what `outgoing` is asked for
    /// next. See [`Outgoing::compress`] for `lent`.
    pub fn deflate_into(
        &self,
        form: BinaryForm,
        outgoing: &mut Outgoing,
        lent: &mut Deflater,
        mut take: impl FnMut(Bytes),
    ) {
        let compressed = match &self.0 {
            Frames::Single(_) => &[],
            Frames::Many { frames, plain } => frames.get(*plain..).unwrap_or_default(),
        };
        for (index, frame) in self.frames().iter().enumerate() {
            let is_as_it_is = form == BinaryForm::Bare || !frame.is_binary();
            match compressed.get(index).filter(|_| is_as_it_is) {
                Some(compressed) => {
                    if compressed.bytes.as_ptr() != frame.bytes.as_ptr() {
                        outgoing.skip();
                    }
                    take(compressed.bytes.clone());
                }
                None if frame.may_be_compressed => {
                    frame.deflate_into(form, outgoing, lent, &mut take);
                }
                None => frame.websocket_as(form, &mut take),
            }
        }
    }
}

#[cfg(feature = "deflate")]
impl Frame {
    fn deflate_into(
        &self,
        form: BinaryForm,
        outgoing: &mut Outgoing,
        lent: &mut Deflater,
        mut take: impl FnMut(Bytes),
    ) {
        let frame = self.in_form(form);
        match outgoing.compress(frame.packet(), lent) {
            Some(payload) => take(compressed_frame(&frame, payload)),
            None => take(frame.websocket().clone()),
        }
    }
}

/// The WebSocket frame that has `frame` in compressed form.
#[cfg(feature = "deflate")]
fn compressed_frame(frame: &Frame, payload: &[u8]) -> Bytes {
    let opcode = if frame.is_binary() { Opcode::Binary } else { Opcode::Text };
    let header = FrameHeader { rsv1: true, ..FrameHeader::new(opcode, 0) };
    let mut bytes = Vec::new();
    encode_frame_into(&mut bytes, header, payload);
    Bytes::from(bytes)
}
