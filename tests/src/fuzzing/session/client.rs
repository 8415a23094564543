//! The client's end: what it receives must make sense to it.

use bytes::Bytes;
use sansocket_core::codec::engine::{Inbound, decode_text};
use sansocket_core::codec::message::{Frame, Message};
use sansocket_core::codec::payload;
use sansocket_core::{Limits, Sid};

pub(super) struct Client {
    sid: Sid,
    /// The open packet has come. It is the first one, and the only one of its kind.
    is_open: bool,
    /// How many numbered events have come.
    received: u32,
    /// Attachments that must follow before anything else.
    due: u32,
}

impl Client {
    pub(super) fn new(sid: Sid) -> Self {
        Self { sid, is_open: false, received: 0, due: 0 }
    }

    /// From a WebSocket. A packet and its attachments are not separated.
    pub(super) fn receive_message(&mut self, message: &Message) {
        let (header, attachments) = message.frames().split_first().expect("a frame");
        self.receive(decode_text(header.packet_bytes(), &Limits::default()).expect("a packet"));
        assert_eq!(self.due as usize, attachments.len());
        assert!(attachments.iter().all(Frame::is_binary));
        self.due = 0;
    }

    /// From the response to a GET.
    pub(super) fn receive_body(&mut self, body: &Bytes) {
        assert!(!body.is_empty(), "a payload has a packet");
        let limits = Limits::default();
        for packet in payload::decode(body.clone(), &limits) {
            self.receive(packet.expect("a packet"));
        }
        assert_eq!(self.due, 0, "a payload ends with a whole message");
    }

    fn receive(&mut self, packet: Inbound) {
        if let Inbound::Binary(_) = packet {
            self.due = self.due.checked_sub(1).expect("it was announced");
            return;
        }
        assert_eq!(self.due, 0, "{packet:?} between a packet and its attachments");
        match packet {
            Inbound::Open => {
                assert!(!self.is_open, "a second open packet");
                self.is_open = true;
            }
            Inbound::Message(packet) => {
                assert!(self.is_open, "the open packet is first");
                let packet = packet.expect("a packet");
                self.due = packet.attachments;
                assert!(
                    !packet.payload().contains(self.sid.as_str()),
                    "the session's id is secret"
                );
                if packet.event_name() == "numbered" {
                    let args = packet.into_args(Vec::new());
                    let number = args.get(0).expect("the number").decode::<u32>();
                    assert_eq!(number.expect("a number"), self.received, "lost, or out of order");
                    self.received += 1;
                }
            }
            Inbound::Ping { probe: false } | Inbound::Noop | Inbound::Close => {}
            // An answer to a probe may overtake the open packet: that waits for a GET.
            Inbound::Pong { probe: true } => {}
            Inbound::Ping { probe: true }
            | Inbound::Pong { probe: false }
            | Inbound::Upgrade
            | Inbound::Complete(_)
            | Inbound::Binary(_) => panic!("{packet:?} is not for a client"),
        }
    }
}
