//! How what comes from the server is read.

use bytes::Bytes;

use crate::codec::engine::Inbound;
use crate::codec::payload::{self, Payload};
use crate::{EngineError, Limits, Revision, SharedParser};

/// What the decoders need to know.
pub(crate) struct Codec {
    limits: Limits,
    parser: Option<SharedParser>,
}

impl Codec {
    pub(crate) fn new(limits: Limits, parser: Option<SharedParser>) -> Self {
        Self { limits, parser }
    }

    /// The text of one packet.
    pub(super) fn decode_text(&self, text: Bytes) -> Result<Inbound, EngineError> {
        Revision::V4.decode_text_by(self.parser.as_ref(), text, &self.limits)
    }

    /// A WebSocket binary message.
    pub(super) fn decode_binary(&self, data: Bytes) -> Result<Inbound, EngineError> {
        Revision::V4.decode_binary_by(self.parser.as_ref(), data, &self.limits)
    }

    /// The packets of the answer to a GET.
    pub(super) fn decode_payload(&self, body: Bytes) -> Payload<'_> {
        payload::decode(body, &self.limits).by(self.parser.as_ref())
    }
}
