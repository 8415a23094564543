//! A session's WebSocket, from its opening to the end of its stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use sansocket_core::TransportKey;

use crate::inner::Inner;
use crate::runtime::Sleep;
use crate::websocket::{Buffers, End, WebSocket};

pub(super) struct Link {
    pub(super) transport: TransportKey,
    pub(super) websocket: WebSocket,
    state: State,
    /// A write failed. Reading may not tell.
    failed: bool,
}

enum State {
    Open,
    /// The session is over, but the peer does not take what is queued for it.
    Draining {
        /// It is not waited for longer than that.
        deadline: Pin<Box<dyn Sleep>>,
    },
    /// The machine has been told that the WebSocket is closed. What is left is to say goodbye: to
    /// send what is queued and the close frame, and to wait for the peer's, because closing the
    /// stream first could destroy what is under way to the peer.
    Closing {
        /// The peer may not take it up.
        deadline: Pin<Box<dyn Sleep>>,
        peer_is_done: bool,
    },
    Over,
}

impl Link {
    pub(super) fn new(transport: TransportKey, websocket: WebSocket) -> Self {
        Self { transport, websocket, state: State::Open, failed: false }
    }

    pub(super) fn is_open(&self) -> bool {
        match self.state {
            State::Open | State::Draining { .. } => true,
            State::Closing { .. } | State::Over => false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The server closes, without a status code as in the reference. `frames` are still to be sent.
    pub(super) fn close(&mut self, inner: &Inner, frames: &mut Vec<Bytes>) {
        self.websocket.queue_close_behind(frames);
        self.begin_closing(inner, false);
    }

    /// The peer has closed, or broken the protocol, which was answered by a close frame.
    pub(super) fn end(&mut self, inner: &Inner, end: End) {
        match (&mut self.state, end) {
            (State::Open | State::Draining { .. }, End::Clean) => self.begin_closing(inner, true),
            (State::Open | State::Draining { .. }, End::Violation) => {
                self.begin_closing(inner, false);
            }
            (State::Closing { peer_is_done, .. }, End::Clean) => *peer_is_done = true,
            (State::Closing { .. }, End::Violation) => {}
            (State::Over, _) => {}
            (_, End::Failed) => self.state = State::Over,
        }
    }

    /// Writes what the machine gave, `buffers.frames`, and what is left from before.
    pub(super) fn write(&mut self, cx: &mut Context<'_>, buffers: &mut Buffers) {
        if !buffers.to_encode.is_empty() {
            // In front of a close frame.
            let behind = std::mem::take(&mut buffers.frames);
            for message in buffers.to_encode.drain(..) {
                self.websocket.encode(&message, |piece| buffers.frames.push(piece));
            }
            buffers.frames.extend(behind);
        }
        if buffers.frames.is_empty() && self.websocket.is_flushed() {
            return;
        }
        if self.websocket.write(cx, buffers).is_err() {
            self.websocket.discard();
            // Of an open link, the machine is to be told first.
            match self.is_open() {
                true => self.failed = true,
                false => self.state = State::Over,
            }
        }
    }

    /// The session is over: what the peer has not taken must go soon.
    pub(super) fn drain(&mut self, cx: &mut Context<'_>, inner: &Inner) {
        if matches!(self.state, State::Open) && !self.websocket.is_flushed() {
            self.state = State::Draining { deadline: close_deadline(inner) };
            if self.has_stalled(cx) {
                cx.waker().wake_by_ref();
            }
        }
    }

    /// Whether the peer has not taken in time what was queued when its session ended.
    pub(super) fn has_stalled(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.state {
            State::Draining { deadline } => deadline.as_mut().poll(cx).is_ready(),
            State::Open | State::Closing { .. } | State::Over => false,
        }
    }

    /// Whether a write failed and the machine does not know yet.
    pub(super) fn has_failed(&self) -> bool {
        self.failed && self.is_open()
    }

    /// Goes on with the goodbye.
    pub(super) fn poll_closing(&mut self, cx: &mut Context<'_>) {
        let State::Closing { deadline, peer_is_done } = &mut self.state else { return };
        self.websocket.shut_down_if_violated(cx);
        let done = *peer_is_done && self.websocket.is_flushed();
        if done || deadline.as_mut().poll(cx) == Poll::Ready(()) {
            self.state = State::Over;
        }
    }

    fn begin_closing(&mut self, inner: &Inner, peer_is_done: bool) {
        self.state = State::Closing { deadline: close_deadline(inner), peer_is_done };
    }
}

fn close_deadline(inner: &Inner) -> Pin<Box<dyn Sleep>> {
    inner.runtime.sleep_until(inner.now() + inner.settings.close_timeout)
}
