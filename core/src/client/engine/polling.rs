//! Long-polling: one GET that waits for packets, one POST that brings some, and no two of either.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use memchr::memchr;

use crate::codec::message::Message;
use crate::codec::payload;
use crate::http::Method;
use crate::{Timestamp, Transport};

use super::super::config::Config;
use super::super::event::TransportError;
use super::codec::Codec;
use super::session::{Cause, Current, Engine};
use super::state::{Channel, Lifecycle};

/// Names one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey {
    pub(in crate::client) epoch: u32,
    pub(super) number: u32,
}

/// An HTTP request to make. Encoding its body is left to the caller, who need not hold any lock
/// for it.
#[derive(Debug)]
pub struct Request {
    /// Names it in what is reported about it.
    pub key: RequestKey,
    /// [`Method::Get`] waits for packets, for as long as the server has none; [`Method::Post`]
    /// brings some. One of each may be under way at the same time.
    pub method: Method,
    /// Path and query.
    pub target: String,
    messages: Vec<Message>,
}

impl Request {
    /// The body: nothing for a GET, for a POST a payload of Engine.IO packets (protocol 4,
    /// "polling"), whose content type is `text/plain;charset=UTF-8`.
    pub fn into_body(self) -> Bytes {
        match self.method {
            Method::Post => payload::encode(self.messages.iter()),
            Method::Get | Method::Other => Bytes::new(),
        }
    }
}

impl Engine {
    /// The next request to make. A GET is only made where `wants_packets` says so.
    pub(crate) fn next_request(&mut self, config: &Config, wants_packets: bool) -> Option<Request> {
        if self.current != Current::Polling || self.state == Lifecycle::Closed {
            return None;
        }
        if self.may_poll(wants_packets) {
            let number = self.next_key();
            self.poll = Some(number);
            return Some(self.request(config, number, Method::Get, Vec::new()));
        }
        if self.post.is_some() || self.is_paused() {
            return None;
        }
        let messages = self.next_batch();
        if messages.is_empty() {
            return None;
        }
        let number = self.next_key();
        self.post = Some(number);
        Some(self.request(config, number, Method::Post, messages))
    }

    /// Whether the answer to a request is still waited for.
    pub(crate) fn awaits(&self, key: RequestKey) -> bool {
        self.poll == Some(key.number) || self.post == Some(key.number)
    }

    /// A request was answered.
    pub(crate) fn handle_response(
        &mut self,
        now: Timestamp,
        codec: &Codec,
        response_bytes_max: usize,
        key: RequestKey,
        status: u16,
        body: Bytes,
    ) {
        let is_poll = self.poll == Some(key.number);
        if !self.forget_request(key) {
            return;
        }
        if status != 200 {
            return self.finish(Cause::Failed(TransportError::Status { status }));
        }
        match is_poll {
            true if body.len() > response_bytes_max => {
                let limit = response_bytes_max;
                self.finish(Cause::Failed(TransportError::TooLarge { limit }));
            }
            true => self.handle_payload(now, codec, body),
            // What is in the body is of no meaning.
            false if self.close_sent => self.finish(Cause::Local),
            false => {}
        }
        self.complete_upgrade();
    }

    /// A request was not answered.
    pub(crate) fn handle_request_failed(&mut self, key: RequestKey) {
        if self.forget_request(key) {
            self.finish(Cause::Failed(TransportError::Request));
        }
    }

    fn forget_request(&mut self, key: RequestKey) -> bool {
        self.poll.take_if(|number| *number == key.number).is_some()
            || self.post.take_if(|number| *number == key.number).is_some()
    }

    /// The answer to a GET. What stands behind a packet that ends the session is ignored.
    fn handle_payload(&mut self, now: Timestamp, codec: &Codec, body: Bytes) {
        let mut rest = body;
        if matches!(self.state, Lifecycle::Opening | Lifecycle::Leaving) {
            // The first packet is the handshake, whose data the decoder of payloads leaves out.
            let end = memchr(SEPARATOR, &rest).unwrap_or(rest.len());
            self.handle_text(now, codec, Channel::Current, rest.split_to(end));
            if rest.is_empty() {
                return;
            }
            // The handshake may be large, and what stands behind it is not to keep it.
            rest = Bytes::copy_from_slice(rest.get(1..).unwrap_or_default());
        }
        for packet in codec.decode_payload(rest) {
            self.handle_packet(now, Channel::Current, packet);
        }
    }

    fn may_poll(&self, wants_packets: bool) -> bool {
        match self.state {
            Lifecycle::Opening => self.poll.is_none(),
            Lifecycle::Open => self.poll.is_none() && !self.is_paused() && wants_packets,
            Lifecycle::Leaving | Lifecycle::Closing | Lifecycle::Closed => false,
        }
    }

    /// The packets of the next POST.
    fn next_batch(&mut self) -> Vec<Message> {
        let mut batch = Vec::new();
        match self.state {
            Lifecycle::Open | Lifecycle::Closing => {}
            Lifecycle::Opening | Lifecycle::Leaving | Lifecycle::Closed => return batch,
        }
        if core::mem::take(&mut self.pong_due) {
            batch.push(Message::pong());
        }
        self.outbox.fill(&mut batch, self.max_payload());
        if self.state == Lifecycle::Closing && self.outbox.is_empty() && !self.close_sent {
            // It has a body of its own: there may be no room for it in the last one, and a server
            // need not look at what stands in front of it.
            if batch.is_empty() {
                batch.push(Message::close());
                self.close_sent = true;
            }
        }
        batch
    }

    fn request(
        &self,
        config: &Config,
        number: u32,
        method: Method,
        messages: Vec<Message>,
    ) -> Request {
        let key = RequestKey { epoch: self.epoch, number };
        Request { key, method, target: self.target(config, Transport::Polling), messages }
    }
}

const SEPARATOR: u8 = 0x1E;
