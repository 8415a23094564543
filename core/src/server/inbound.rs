//! What comes from the network.

use crate::codec::engine::Inbound;
use crate::engine::{PacketClass, PollKey, PostKey, Session, TransportKey, Verdict};
use crate::http::Route;
use crate::{
    ConnectionKey, DisconnectReason, EngineError, Gone, Refusal, Revision, Timestamp, Transport,
};

use super::Server;

impl Server {
    /// The connection that a request belongs to.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownSession`], or [`Refusal::TransportMismatch`] for a GET or POST to a session
    /// that is on a WebSocket.
    pub fn find(&self, route: &Route) -> Result<ConnectionKey, Refusal> {
        let (sid, transport) = match route {
            Route::Handshake { .. } => return Err(Refusal::UnknownSession),
            Route::Poll(sid) | Route::Post(sid) => (sid, Transport::Polling),
            // A WebSocket that the session cannot take is closed, not refused.
            Route::Upgrade(sid) | Route::Refuse { sid, .. } => (sid, Transport::WebSocket),
        };
        let key = *self.sids.get(sid).ok_or(Refusal::UnknownSession)?;
        let connection = self.connections.get(key).ok_or(Refusal::UnknownSession)?;
        if transport == Transport::Polling && !connection.session.is_polling() {
            return Err(Refusal::TransportMismatch);
        }
        Ok(key)
    }

    /// A GET came in for a session. Ask [`take_poll_response`](Self::take_poll_response) for its
    /// answer, now and whenever the connection is dirty; report
    /// [`handle_poll_aborted`](Self::handle_poll_aborted) if the client does not wait for it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Overlap`] where another GET waits; that closes the session. Otherwise as for
    /// [`find`](Self::find): much may have happened since.
    pub fn begin_poll(&mut self, key: ConnectionKey) -> Result<PollKey, Refusal> {
        let result = self.polling_session(key)?.begin_poll();
        self.settle(key);
        result.map_err(|_| Refusal::Overlap)
    }

    /// The client went away while its GET waited. Closes the session.
    pub fn handle_poll_aborted(&mut self, key: ConnectionKey, poll: PollKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.session.abort_poll(poll);
        self.settle(key);
    }

    /// A POST came in for a session. Read its body, then report
    /// [`handle_post`](Self::handle_post), [`handle_post_rejected`](Self::handle_post_rejected) or
    /// [`handle_post_aborted`](Self::handle_post_aborted).
    ///
    /// # Errors
    ///
    /// [`Refusal::Overlap`] where another POST is under way; that closes the session. Otherwise as
    /// for [`find`](Self::find).
    pub fn begin_post(&mut self, key: ConnectionKey) -> Result<PostKey, Refusal> {
        let result = self.polling_session(key)?.begin_post();
        self.settle(key);
        result.map_err(|_| Refusal::Overlap)
    }

    /// The packets of a POST, which ends it. The client is to be answered `ok` whatever they were.
    ///
    /// # Errors
    ///
    /// [`Gone`] where the session ended in the meantime: the request was given up, and its
    /// connection is to be closed.
    pub fn handle_post(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        post: PostKey,
        packets: impl IntoIterator<Item = Result<Inbound, EngineError>>,
    ) -> Result<(), Gone> {
        self.handle_posted(now, key, post, packets, true)
    }

    /// Some of the packets of a POST, which goes on: for who would not hold the machine for all of
    /// them. The last ones are for [`handle_post`](Self::handle_post).
    ///
    /// # Errors
    ///
    /// [`Gone`] where the session has ended before, and the POST with it. If that was by an earlier
    /// part, the client is to be answered `ok` nevertheless.
    pub fn handle_post_part(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        post: PostKey,
        packets: impl IntoIterator<Item = Result<Inbound, EngineError>>,
    ) -> Result<(), Gone> {
        self.handle_posted(now, key, post, packets, false)
    }

    /// The body of a POST exceeds [`Limits::max_payload`](crate::Limits), or could not be read
    /// because of the server. Nothing of it counts; the session stays open.
    pub fn handle_post_rejected(&mut self, key: ConnectionKey, post: PostKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.session.end_post(post);
        self.settle(key);
    }

    /// The client broke off a POST, or sent one that no client of this protocol sends. Closes the
    /// session.
    pub fn handle_post_aborted(&mut self, key: ConnectionKey, post: PostKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.session.abort_post(post);
        self.settle(key);
    }

    /// A WebSocket was opened for a session that is on polling. `None` where it must be closed at
    /// once: there is no such session any more, or another WebSocket was first.
    pub fn begin_upgrade(&mut self, now: Timestamp, key: ConnectionKey) -> Option<TransportKey> {
        let now = self.advance(now);
        let connection = self.connections.get_mut(key)?;
        let transport = connection.session.begin_upgrade(now, &self.config);
        self.arm(key);
        transport
    }

    /// A packet came on a WebSocket, or a message that is none.
    pub fn handle_packet(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        transport: TransportKey,
        packet: Result<Inbound, EngineError>,
    ) {
        self.handle_packets(now, key, [(transport, packet)]);
    }

    /// As [`handle_packet`](Self::handle_packet), for all that have come.
    pub fn handle_packets(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        packets: impl IntoIterator<Item = (TransportKey, Result<Inbound, EngineError>)>,
    ) {
        let now = self.advance(now);
        for (transport, packet) in packets {
            self.handle_packet_on(now, key, Some(transport), packet);
        }
        self.settle(key);
    }

    /// A WebSocket is closed, by whichever side. To be called once for each that was opened.
    ///
    /// `clean` tells a close frame or an end of the stream from a failure, among them a message
    /// beyond the limits and invalid UTF-8.
    pub fn handle_websocket_closed(
        &mut self,
        key: ConnectionKey,
        transport: TransportKey,
        clean: bool,
    ) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let reason =
            if clean { DisconnectReason::TransportClose } else { DisconnectReason::TransportError };
        connection.session.detach_websocket(transport, reason);
        self.settle(key);
    }

    /// Whether the connection may bring more packets. While it may not, stop reading from it: its
    /// application does not keep up, or its client has to [wait](crate::Excess::Delay).
    pub fn wants_input(&self, key: ConnectionKey) -> bool {
        self.connections
            .get(key)
            .is_none_or(|connection| connection.wants_input(&self.config.limits))
    }

    /// The revision that a session speaks, whatever its later requests say.
    pub fn revision(&self, key: ConnectionKey) -> Option<Revision> {
        Some(self.connections.get(key)?.session.revision())
    }

    /// The session, if a GET or POST may still begin on it.
    fn polling_session(&mut self, key: ConnectionKey) -> Result<&mut Session, Refusal> {
        let connection = self.connections.get_mut(key).ok_or(Refusal::UnknownSession)?;
        if connection.session.is_closed() {
            return Err(Refusal::UnknownSession);
        }
        if !connection.session.is_polling() {
            return Err(Refusal::TransportMismatch);
        }
        Ok(&mut connection.session)
    }

    fn handle_posted(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        post: PostKey,
        packets: impl IntoIterator<Item = Result<Inbound, EngineError>>,
        is_last: bool,
    ) -> Result<(), Gone> {
        let now = self.advance(now);
        let session = &mut self.connections.get_mut(key).ok_or(Gone)?.session;
        let under_way = session.has_post(post) && !session.is_closed();
        if is_last || !under_way {
            session.end_post(post);
        }
        if under_way {
            for packet in packets {
                self.handle_packet_on(now, key, None, packet);
            }
        }
        self.settle(key);
        under_way.then_some(()).ok_or(Gone)
    }

    fn handle_packet_on(
        &mut self,
        now: Timestamp,
        key: ConnectionKey,
        transport: Option<TransportKey>,
        packet: Result<Inbound, EngineError>,
    ) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let class = packet.as_ref().map_or(PacketClass::Malformed, PacketClass::of);
        let verdict = connection.session.handle_packet(now, &self.config, transport, class);
        match (verdict, packet) {
            (Verdict::Deliver, Ok(Inbound::Message(Ok(packet)))) => {
                self.handle_socket_packet(now, key, packet);
            }
            (Verdict::Deliver, Ok(Inbound::Message(Err(error)))) => {
                self.handle_violation(now, key, error);
            }
            (Verdict::Deliver, Ok(Inbound::Complete(complete))) => {
                self.handle_complete_packet(now, key, *complete);
            }
            (Verdict::Deliver, Ok(Inbound::Binary(data))) => {
                self.handle_attachment(now, key, data);
            }
            (Verdict::Left, _) => {
                if let Some(dialect) = connection.session.awaited_poll() {
                    self.late_polls.expect(*connection.session.sid(), dialect);
                }
            }
            // Only messages are delivered; whatever else came may have moved a deadline.
            (Verdict::Deliver | Verdict::Done, _) => self.arm(key),
        }
    }
}
