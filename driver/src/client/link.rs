//! One WebSocket: dialed, open, and being closed.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::upgrade::Upgraded;
use sansocket_core::Output;
use sansocket_core::client::{Manager, WebSocketKey};
use sansocket_core::codec::websocket::{DecoderConfig, Role};

use crate::deflate;
use crate::runtime::Runtime;
use crate::websocket::{Buffers, Closing, End, READ_BYTES, WebSocket};

use super::http::Http;

/// What is taken from the core at a time, in bytes. What stays there counts towards the limit of
/// the outbox.
const WRITE_BYTES: usize = 64 << 10;

pub(super) struct Link {
    pub(super) key: WebSocketKey,
    stage: Stage,
    /// What was taken from the core and is about to be written.
    frames: Vec<bytes::Bytes>,
}

type Dialing = Pin<Box<dyn Future<Output = io::Result<(Upgraded, deflate::Slot)>> + Send>>;

enum Stage {
    Dialing(Dialing),
    Open(Box<WebSocket>),
    /// The core has nothing to do with it any more, or is told so.
    Closing(Box<Closing>),
    Over,
}

/// What has become of a link.
pub(super) enum News {
    Opened,
    /// It could not be opened.
    Refused(io::Error),
    /// Messages stand in the buffers.
    Read,
    /// The peer has closed.
    Closed,
    /// It has failed.
    Failed,
}

impl Link {
    pub(super) fn new(key: WebSocketKey, http: &Arc<Http>, target: String) -> Self {
        let dialing = http.clone().websocket(target);
        Self { key, stage: Stage::Dialing(Box::pin(dialing)), frames: Vec::new() }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Goes on with whatever it is at. `reads` where more may be read.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
        config: DecoderConfig,
        reads: bool,
        deadline: impl FnOnce() -> Pin<Box<dyn crate::runtime::Sleep>>,
    ) -> Option<News> {
        match &mut self.stage {
            Stage::Dialing(dialing) => match dialing.as_mut().poll(cx) {
                Poll::Pending => None,
                Poll::Ready(Ok((stream, compression))) => {
                    let websocket = WebSocket::new(stream, Role::Client, config, compression);
                    self.stage = Stage::Open(Box::new(websocket));
                    Some(News::Opened)
                }
                Poll::Ready(Err(error)) => {
                    self.stage = Stage::Over;
                    Some(News::Refused(error))
                }
            },
            Stage::Open(_) if !reads => None,
            Stage::Open(websocket) => match websocket.poll_read(cx, buffers, READ_BYTES) {
                Poll::Pending => None,
                Poll::Ready(Ok(())) => Some(News::Read),
                Poll::Ready(Err(end)) => {
                    self.close(match end {
                        End::Clean | End::Violation => Some(deadline()),
                        End::Failed => None,
                    });
                    Some(if end == End::Clean { News::Closed } else { News::Failed })
                }
            },
            Stage::Closing(closing) => {
                if Pin::new(closing).poll(cx).is_ready() {
                    self.stage = Stage::Over;
                }
                None
            }
            Stage::Over => None,
        }
    }

    /// Takes from the core what the network takes. `true` if the link is closed now, which is to be
    /// gone on with.
    ///
    /// # Errors
    ///
    /// If it fails, which the core is to be told.
    pub(super) fn take_output(
        &mut self,
        manager: &mut Manager,
        runtime: &dyn Runtime,
    ) -> io::Result<bool> {
        let websocket = match &mut self.stage {
            // There is nothing to send on it but its end.
            Stage::Dialing(_) => {
                if let Some(Output::Close) = manager.poll_output(self.key) {
                    self.stage = Stage::Over;
                }
                return Ok(false);
            }
            Stage::Open(websocket) => websocket,
            Stage::Closing(_) | Stage::Over => return Ok(false),
        };
        let mut bytes = 0;
        while websocket.is_flushed() && bytes < WRITE_BYTES {
            match manager.poll_output(self.key) {
                Some(Output::Message(message)) => {
                    websocket.encode_masked(&message, &mut self.frames)?;
                    bytes += message.websocket_bytes();
                }
                Some(Output::Close) => {
                    websocket.queue_close_behind(&mut self.frames);
                    let timeout = manager.config().close_timeout;
                    let deadline = runtime.sleep_until(runtime.now() + timeout);
                    // Written first, so that what is queued goes before.
                    websocket.keep(&mut self.frames);
                    self.close(Some(deadline));
                    return Ok(true);
                }
                None => break,
            }
        }
        Ok(false)
    }

    /// Writes what was taken. `true` if more may be taken at once.
    ///
    /// # Errors
    ///
    /// If it fails, which the core is to be told.
    pub(super) fn write(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
    ) -> io::Result<bool> {
        let Stage::Open(websocket) = &mut self.stage else { return Ok(false) };
        let has_some = !self.frames.is_empty() || !websocket.is_flushed();
        std::mem::swap(&mut self.frames, &mut buffers.frames);
        match websocket.write(cx, buffers) {
            // Also where it was what is left from before: the core had to wait for it.
            Ok(()) => Ok(has_some && websocket.is_flushed()),
            Err(error) => {
                self.stage = Stage::Over;
                Err(error)
            }
        }
    }

    /// Drops it, whatever it is at.
    pub(super) fn give_up(&mut self) {
        self.stage = Stage::Over;
    }

    fn close(&mut self, deadline: Option<Pin<Box<dyn crate::runtime::Sleep>>>) {
        self.stage = match (std::mem::replace(&mut self.stage, Stage::Over), deadline) {
            (Stage::Open(websocket), Some(deadline)) => {
                Stage::Closing(Box::new(Closing::new(*websocket, deadline)))
            }
            (_, _) => Stage::Over,
        };
    }
}
