//! Compression on WebSockets: what is agreed in a handshake, and who compresses.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::HeaderValue;
use sansocket_core::codec::websocket::deflate::{Agreed, Deflater, Outgoing, PerMessageDeflate};
use sansocket_core::codec::websocket::handshake::{self, ResponseError};
use sansocket_core::codec::websocket::{Decoder, DecoderConfig, Role};
use sansocket_core::{BinaryForm, Message};

/// The compression of one server or client.
pub(crate) struct Deflate {
    settings: PerMessageDeflate,
    /// The WebSockets that there are on which it was agreed.
    connections: AtomicUsize,
}

impl Deflate {
    pub(crate) fn new(settings: PerMessageDeflate) -> Self {
        Self { settings, connections: AtomicUsize::new(0) }
    }

    /// Compresses a message for all its recipients at once, if there is anybody who could read it.
    pub(crate) fn share(&self, message: Message) -> Message {
        if self.connections.load(Ordering::Relaxed) == 0 {
            return message;
        }
        let (level, threshold) =
            (self.settings.compression_level(), self.settings.threshold_bytes());
        with_deflater(level, |deflater| message.compressed(deflater, threshold))
    }
}

/// The compression of one WebSocket.
pub(crate) struct Compression {
    agreed: Agreed,
    outgoing: Outgoing,
    owner: Arc<Deflate>,
}

/// What a WebSocket keeps of it.
pub(crate) type Slot = Option<Box<Compression>>;

impl Compression {
    /// Of the end `role`.
    fn new(owner: &Arc<Deflate>, agreed: Agreed, role: Role) -> Box<Self> {
        owner.connections.fetch_add(1, Ordering::Relaxed);
        let outgoing = Outgoing::new(&owner.settings, agreed, role);
        Box::new(Self { agreed, outgoing, owner: owner.clone() })
    }

    /// The frames of a message from a server.
    pub(crate) fn encode(&mut self, message: &Message, form: BinaryForm, take: impl FnMut(Bytes)) {
        let Self { outgoing, owner, .. } = self;
        with_deflater(owner.settings.compression_level(), |lent| {
            message.deflate_into(form, outgoing, lent, take);
        });
    }

    /// Gives the compressed payload, or `None` if it is to be sent as it is.
    pub(crate) fn compress<R>(
        &mut self,
        payload: &[u8],
        send: impl FnOnce(Option<&[u8]>) -> R,
    ) -> R {
        let Self { outgoing, owner, .. } = self;
        with_deflater(owner.settings.compression_level(), |lent| {
            send(outgoing.compress(payload, lent))
        })
    }
}

impl Drop for Compression {
    fn drop(&mut self) {
        self.owner.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What decodes what the peer of the end `role` sends.
pub(crate) fn decoder(slot: &Slot, role: Role, config: DecoderConfig) -> Decoder {
    let decoder = Decoder::new(role, config);
    match slot {
        Some(compression) => decoder.with_deflate(compression.agreed),
        None => decoder,
    }
}

/// As a server, accepts what a request offers: with what is answered.
pub(crate) fn accept<'a>(
    deflate: Option<&Arc<Deflate>>,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> (Slot, Option<HeaderValue>) {
    let Some(deflate) = deflate else { return (None, None) };
    let Some(accepted) = deflate.settings.accept(headers) else { return (None, None) };
    match HeaderValue::try_from(accepted.answer()) {
        Ok(answer) => {
            (Some(Compression::new(deflate, accepted.agreed(), Role::Server)), Some(answer))
        }
        Err(_) => (None, None),
    }
}

/// What a client offers.
pub(crate) fn offer(deflate: Option<&Arc<Deflate>>) -> Option<HeaderValue> {
    HeaderValue::try_from(deflate?.settings.offer()).ok()
}

/// As a client, looks at the answer to its request.
pub(crate) fn check_response(
    deflate: Option<&Arc<Deflate>>,
    key: &[u8],
    status: u16,
    headers: &[(&str, &[u8])],
) -> Result<Slot, ResponseError> {
    let headers = headers.iter().copied();
    let Some(deflate) = deflate else {
        return handshake::check_response(key, status, headers).map(|()| None);
    };
    let agreed = handshake::check_response_to_offer(key, status, headers, &deflate.settings)?;
    Ok(agreed.map(|agreed| Compression::new(deflate, agreed, Role::Client)))
}

thread_local! {
    static DEFLATER: Cell<Option<Box<Deflater>>> = const { Cell::new(None) };
}

/// Lends this thread's deflater. Servers of different levels on one thread take it from each other.
fn with_deflater<R>(level: u8, compress: impl FnOnce(&mut Deflater) -> R) -> R {
    let kept = DEFLATER.try_with(Cell::take).ok().flatten();
    let mut deflater =
        kept.filter(|kept| kept.level() == level).unwrap_or_else(|| Box::new(Deflater::new(level)));
    let result = compress(&mut deflater);
    // Fails only while the thread ends, when there is nothing to keep it for.
    let _ = DEFLATER.try_with(|kept| kept.set(Some(deflater)));
    result
}
