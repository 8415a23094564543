//! In place of `deflate`, where nothing is ever compressed on a WebSocket.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use sansocket_core::codec::websocket::handshake::{self, ResponseError};
use sansocket_core::codec::websocket::{Decoder, DecoderConfig, Role};
use sansocket_core::{BinaryForm, Message};

pub(crate) enum Deflate {}

impl Deflate {
    pub(crate) fn share(&self, _: Message) -> Message {
        match *self {}
    }
}

pub(crate) enum Compression {}

pub(crate) type Slot = Option<Compression>;

#[expect(clippy::needless_pass_by_ref_mut, reason = "as the real one has it")]
impl Compression {
    pub(crate) fn encode(&mut self, _: &Message, _: BinaryForm, _: impl FnMut(Bytes)) {
        match *self {}
    }

    pub(crate) fn compress<R>(&mut self, _: &[u8], _: impl FnOnce(Option<&[u8]>) -> R) -> R {
        match *self {}
    }
}

pub(crate) fn decoder(_: &Slot, role: Role, config: DecoderConfig) -> Decoder {
    Decoder::new(role, config)
}

pub(crate) fn accept<'a>(
    _: Option<&Arc<Deflate>>,
    _: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> (Slot, Option<HeaderValue>) {
    (None, None)
}

pub(crate) fn offer(_: Option<&Arc<Deflate>>) -> Option<HeaderValue> {
    None
}

pub(crate) fn check_response(
    _: Option<&Arc<Deflate>>,
    key: &[u8],
    status: u16,
    headers: &[(&str, &[u8])],
) -> Result<Slot, ResponseError> {
    handshake::check_response(key, status, headers.iter().copied()).map(|()| None)
}
