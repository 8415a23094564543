//! What is sent to clients of Engine.IO 3 and Socket.IO 4, where it differs.

use alloc::vec::Vec;

use bytes::Bytes;
use serde::Serialize;

use super::{Encoder, Frame, Message, args};
use crate::codec::base64;
use crate::codec::engine::v3::BINARY_MESSAGE;
use crate::codec::websocket::{self, Opcode, SERVER_HEADER_BYTES_MAX};
use crate::{EncodeError, Revision};

/// How a client wants binary data on its WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BinaryForm {
    /// As it is: Engine.IO 4.
    #[default]
    Bare,
    /// Behind a byte for its type: Engine.IO 3.
    Typed,
    /// As text, `b` and base64: Engine.IO 4 without binary messages.
    Base64,
    /// As text, `b4` and base64: Engine.IO 3 without binary messages.
    TypedBase64,
}

impl BinaryForm {
    /// That of a session of that revision. `base64` is whether its client takes no binary messages
    /// (parameter `b64`).
    pub fn new(revision: Revision, base64: bool) -> Self {
        match (revision, base64) {
            (Revision::V4, false) => Self::Bare,
            (Revision::V3, false) => Self::Typed,
            (Revision::V4, true) => Self::Base64,
            (Revision::V3, true) => Self::TypedBase64,
        }
    }

    /// The revision that has this form.
    #[inline]
    pub fn revision(self) -> Revision {
        match self {
            Self::Bare | Self::Base64 => Revision::V4,
            Self::Typed | Self::TypedBase64 => Revision::V3,
        }
    }
}

impl Frame {
    /// The WebSocket frame for a client that wants that form, in one piece or in two that follow
    /// one another. Data is not copied, unless it becomes base64.
    pub fn websocket_as(&self, form: BinaryForm, mut take: impl FnMut(Bytes)) {
        if !self.is_binary() {
            return take(self.websocket().clone());
        }
        match form {
            BinaryForm::Typed => {
                let mut beginning = Vec::with_capacity(SERVER_HEADER_BYTES_MAX + 1);
                let header = websocket::header(Opcode::Binary, 1 + self.packet().len());
                beginning.extend_from_slice(&header);
                beginning.push(BINARY_MESSAGE);
                take(Bytes::from(beginning));
                take(self.packet_bytes());
            }
            BinaryForm::Bare | BinaryForm::Base64 | BinaryForm::TypedBase64 => {
                take(self.in_form(form).websocket().clone());
            }
        }
    }

    /// The packet for a client that wants that form, in one piece.
    pub(super) fn in_form(&self, form: BinaryForm) -> Self {
        match form {
            _ if !self.is_binary() => self.clone(),
            BinaryForm::Bare => self.clone(),
            BinaryForm::Typed => Self::binary(&[&[BINARY_MESSAGE], self.packet()].concat()),
            BinaryForm::Base64 => self.to_text(),
            BinaryForm::TypedBase64 => self.to_base64(b"b4"),
        }
    }

    /// A text packet of that beginning, and the data in base64.
    pub(super) fn to_base64(&self, beginning: &[u8]) -> Self {
        let data = self.packet();
        let mut packet = Vec::with_capacity(beginning.len() + base64::encoded_len(data.len()));
        packet.extend_from_slice(beginning);
        base64::encode_into(data, &mut packet);
        Self::utf8(&packet)
    }
}

impl Message {
    /// The server's confirmation that a client of Socket.IO 4 has joined `namespace`. It is not
    /// told an id, because it makes its own of the session's.
    pub fn connect_v4(namespace: &str) -> Self {
        let mut encoder = Encoder::default();
        encoder.begin(namespace, None);
        encoder.finish(b'0')
    }

    /// The refusal to let a client of Socket.IO 4 join `namespace`, which is told one value, whatever
    /// that is. Binary data in it becomes an array of numbers.
    ///
    /// # Errors
    ///
    /// If `value` cannot be encoded.
    pub fn error_v4<T: Serialize + ?Sized>(
        encoder: &mut Encoder,
        namespace: &str,
        value: &T,
    ) -> Result<Self, EncodeError> {
        args::encode_plain(value, &mut encoder.begin(namespace, None).json)?;
        Ok(encoder.finish(b'4'))
    }
}
