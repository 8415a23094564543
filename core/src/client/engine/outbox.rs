//! What waits to be sent to the server.

#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::codec::message::{Frame, Message};
use crate::codec::payload;

/// A queue of packets. Unlike the server's it is one of frames: a POST takes as many as the server
/// allows in one body, and a message may go out in several.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<Frame>,
    /// Invariant: the sum over `queue` of the bytes that each takes on a WebSocket.
    bytes: usize,
}

/// Packets in one POST. Servers limit them, and ours to some thousand.
const BATCH_PACKETS_MAX: usize = 1_024;

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, message: &Message) {
        self.bytes += message.websocket_bytes();
        self.queue.extend(message.frames().iter().cloned());
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.queue.pop_front()?;
        self.bytes -= frame.websocket().len();
        Some(frame)
    }

    /// Moves into `batch` what fits into a body of `bytes_max` together with what is in it, at
    /// least one packet. One that does not fit alone is for the server to refuse.
    pub(super) fn fill(&mut self, batch: &mut Vec<Message>, bytes_max: usize) {
        let len = |message: &Message| -> usize {
            message.frames().iter().map(|frame| payload::encoded_len(frame) + 1).sum()
        };
        // The last packet has no separator behind it.
        let mut bytes = batch.iter().map(len).sum::<usize>().saturating_sub(1);
        while let Some(frame) = self.queue.front() {
            let with_it = match batch.len() {
                0 => payload::encoded_len(frame),
                _ => bytes + 1 + payload::encoded_len(frame),
            };
            if !batch.is_empty() && (with_it > bytes_max || batch.len() >= BATCH_PACKETS_MAX) {
                break;
            }
            bytes = with_it;
            batch.extend(self.pop().map(Message::from));
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
