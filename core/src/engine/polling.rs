//! Long-polling: one GET that waits, one POST that brings packets, and no two of either.

#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;

use bytes::Bytes;

use crate::codec::engine::Inbound;
use crate::codec::jsonp;
use crate::codec::message::Message;
use crate::codec::payload::{self, v3};
use crate::{Dialect, DisconnectReason, EngineError, Limits, Revision, SharedParser};

use super::session::{Current, Session};
use super::state::Lifecycle;

/// Names one GET of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollKey(u32);

/// Names one POST of one session, and knows what its body looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostKey {
    number: u32,
    dialect: Dialect,
}

impl PostKey {
    /// Whether the body may be a binary one (`application/octet-stream`). A client that sends one
    /// where it may not has mistaken the revision.
    pub fn takes_binary(self) -> bool {
        self.dialect.payload().takes_binary() && self.dialect.jsonp().is_none()
    }

    /// The packets of the body, up to the first that is malformed. Nothing is reserved for what a
    /// length announces. A form without a payload has no packets, as in the reference.
    pub fn decode(self, body: Bytes, form: v3::Body, limits: &Limits) -> PostPackets<'_> {
        self.decode_by(None, body, form, limits)
    }

    /// As [`decode`](Self::decode), where messages are packets of `parser`.
    pub fn decode_by<'a>(
        self,
        parser: Option<&'a SharedParser>,
        body: Bytes,
        form: v3::Body,
        limits: &'a Limits,
    ) -> PostPackets<'a> {
        let body = match self.dialect.jsonp().map(|_| jsonp::decode(&body)) {
            None => body,
            Some(Some(payload)) => Bytes::from(payload),
            Some(None) => return PostPackets(Packets::None),
        };
        PostPackets(match self.dialect.revision() {
            Revision::V4 => Packets::V4(payload::decode(body, limits).by(parser)),
            Revision::V3 => Packets::V3(v3::decode(body, form, limits).by(parser)),
        })
    }
}

/// The packets of a POST, each of which is decoded when it is asked for.
#[derive(Clone, Debug)]
pub struct PostPackets<'a>(Packets<'a>);

#[derive(Clone, Debug)]
enum Packets<'a> {
    None,
    V4(payload::Payload<'a>),
    V3(v3::Payload<'a>),
}

impl Iterator for PostPackets<'_> {
    type Item = Result<Inbound, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Packets::None => None,
            Packets::V4(packets) => packets.next(),
            Packets::V3(packets) => packets.next(),
        }
    }
}

impl core::iter::FusedIterator for PostPackets<'_> {}

/// The packets that answer a GET. Encoding them is left to the caller, who need not hold any lock
/// for it.
#[derive(Debug)]
pub struct PollResponse {
    messages: VecDeque<Message>,
    dialect: Dialect,
}

impl PollResponse {
    pub(crate) fn noop(dialect: Dialect) -> Self {
        Self { messages: VecDeque::from([Message::noop()]), dialect }
    }

    /// The media type of the body.
    pub fn content_type(&self) -> &'static str {
        if self.dialect.jsonp().is_some() {
            "text/javascript; charset=UTF-8"
        } else if self.dialect.payload().is_binary(&self.messages) {
            "application/octet-stream"
        } else {
            "text/plain; charset=UTF-8"
        }
    }

    /// Whether one of the packets, at least, is not to be sent without compression. See
    /// [`Message::uncompressed`].
    pub fn may_be_compressed(&self) -> bool {
        self.messages.iter().any(Message::may_be_compressed)
    }

    /// The body: a payload of Engine.IO packets (protocols 3 and 4, "polling"), or the script that
    /// has it.
    pub fn into_body(self) -> Bytes {
        let payload = self.dialect.payload().encode(&self.messages);
        match self.dialect.jsonp() {
            None => payload,
            Some(index) => jsonp::encode(index, &payload),
        }
    }
}

/// A GET that waits.
pub(super) struct PendingPoll {
    key: PollKey,
    /// What it must be answered with, where that is no longer what the outbox holds.
    farewell: Option<Farewell>,
}

#[derive(Clone, Copy)]
enum Farewell {
    /// The session or its polling transport is over.
    Close,
    /// The client itself said so.
    Noop,
}

/// A second request of a kind while the first is under way. It closes the session.
pub(crate) struct Overlap;

impl Session {
    /// A GET came in.
    pub(crate) fn begin_poll(&mut self) -> Result<PollKey, Overlap> {
        if self.poll.is_some() {
            self.close_now(DisconnectReason::TransportError);
            return Err(Overlap);
        }
        let key = PollKey(self.next_key());
        self.poll = Some(PendingPoll { key, farewell: None });
        Ok(key)
    }

    /// Whether a GET waits.
    pub(crate) fn has_poll(&self) -> bool {
        self.poll.is_some()
    }

    /// The form of the GET that a client on polling still has under way, unless it waits already.
    pub(crate) fn awaited_poll(&self) -> Option<Dialect> {
        (self.is_polling() && !self.has_poll()).then_some(self.dialect)
    }

    /// Whether [`take_poll_response`](Self::take_poll_response) has something for the GET.
    pub(crate) fn has_poll_response(&self) -> bool {
        let Some(poll) = &self.poll else { return false };
        poll.farewell.is_some()
            || !self.outbox.is_empty()
            || self.pong_due
            || self.state != Lifecycle::Open
            || self.probe.as_ref().is_some_and(|probe| probe.probed)
    }

    /// The answer to the GET, which is over with it.
    pub(crate) fn take_poll_response(&mut self, key: PollKey) -> Option<PollResponse> {
        if !self.has_poll_response() {
            return None;
        }
        let poll = self.poll.take_if(|poll| poll.key == key)?;
        let mut messages = VecDeque::new();
        match poll.farewell {
            Some(Farewell::Close) => messages.push_back(Message::close()),
            Some(Farewell::Noop) => messages.push_back(Message::noop()),
            None => {
                messages = self.outbox.take();
                if core::mem::take(&mut self.pong_due) {
                    messages.push_back(Message::pong());
                }
                // A payload has at least one packet, and a lone close would look like an answer to
                // a request that overlapped.
                if messages.is_empty() {
                    messages.push_back(Message::noop());
                    // The close waits for a payload without messages: the official client acts on
                    // it before it looks at the messages in front of it, and would take a
                    // disconnection by the server for a loss of the connection.
                    if self.state == Lifecycle::Closing {
                        messages.push_back(Message::close());
                        self.finish_closing();
                    }
                }
            }
        }
        Some(PollResponse { messages, dialect: self.dialect })
    }

    /// The client went away before its GET was answered.
    pub(crate) fn abort_poll(&mut self, key: PollKey) {
        if self.poll.take_if(|poll| poll.key == key).is_some() && self.current == Current::Polling {
            self.close_now(DisconnectReason::TransportError);
        }
    }

    /// A POST came in; its body is still to be read.
    pub(crate) fn begin_post(&mut self) -> Result<PostKey, Overlap> {
        if self.post.is_some() {
            self.close_now(DisconnectReason::TransportError);
            return Err(Overlap);
        }
        let key = PostKey { number: self.next_key(), dialect: self.dialect };
        self.post = Some(key);
        Ok(key)
    }

    /// Whether this POST is under way.
    pub(crate) fn has_post(&self, key: PostKey) -> bool {
        self.post == Some(key)
    }

    /// The POST is over, in whichever way. `false` where it was over before.
    pub(crate) fn end_post(&mut self, key: PostKey) -> bool {
        self.post.take_if(|post| *post == key).is_some()
    }

    /// The client went away, or broke a rule, in the middle of a POST.
    pub(crate) fn abort_post(&mut self, key: PostKey) {
        if self.end_post(key) && self.current == Current::Polling {
            self.close_now(DisconnectReason::TransportError);
        }
    }

    /// Whether a GET waits whose answer is still open.
    pub(super) fn can_answer_poll(&self) -> bool {
        self.poll.as_ref().is_some_and(|poll| poll.farewell.is_none())
    }

    pub(super) fn release_poll_with_close(&mut self) {
        self.release_poll(Farewell::Close);
    }

    pub(super) fn release_poll_with_noop(&mut self) {
        self.release_poll(Farewell::Noop);
    }

    fn release_poll(&mut self, farewell: Farewell) {
        if let Some(poll) = &mut self.poll {
            poll.farewell.get_or_insert(farewell);
        }
    }
}
