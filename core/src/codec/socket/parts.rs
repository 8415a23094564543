//! Packets in parts: how parsers other than the default one give and take them.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Header, Packet, PacketKind, v4};
use crate::codec::args::write_decimal;
use crate::codec::parser::PacketParts;
use crate::{AckId, Limits, PacketError, Revision};

/// What a parser may make of a message: JSON and attachments of so many times
/// [`Limits::max_payload`](crate::Limits). MessagePack at its tersest becomes six times as long.
const GROWTH_MAX: usize = 8;

impl PacketKind {
    /// Its number in the protocol, that of a packet without attachments.
    pub fn number(self) -> u8 {
        match self {
            Self::Connect => 0,
            Self::Disconnect => 1,
            Self::Event => 2,
            Self::Ack => 3,
            Self::ConnectError => 4,
        }
    }

    /// The type of that number.
    ///
    /// # Errors
    ///
    /// [`PacketError::UnknownType`], also for 5 and 6, which are 2 and 3 with attachments.
    pub fn from_number(number: u8) -> Result<Self, PacketError> {
        Ok(match number {
            0 => Self::Connect,
            1 => Self::Disconnect,
            2 => Self::Event,
            3 => Self::Ack,
            4 => Self::ConnectError,
            byte => return Err(PacketError::UnknownType { byte }),
        })
    }

    fn has_arguments(self) -> bool {
        match self {
            Self::Event | Self::Ack => true,
            Self::Connect | Self::Disconnect | Self::ConnectError => false,
        }
    }
}

impl Packet {
    /// The packet that a parser has found, and its attachments, within all limits. It is written in
    /// the default form and decoded as that, so it cannot be one that otherwise could not be.
    ///
    /// # Errors
    ///
    /// Any [`PacketError`] that [`decode`](Self::decode) has, and
    /// [`IllegalNamespace`](PacketError::IllegalNamespace): what is sent to a namespace is encoded in
    /// the default form first, where a name ends at a comma.
    pub(crate) fn from_parts(
        parts: PacketParts<'_>,
        revision: Revision,
        limits: &Limits,
    ) -> Result<(Self, Vec<Bytes>), PacketError> {
        let PacketParts { kind, mut namespace, ack, mut payload, attachments } = parts;
        if revision == Revision::V3 && kind == PacketKind::Connect {
            payload = Cow::Owned(v4::take_auth(&mut namespace));
        }
        if !namespace.starts_with('/') || namespace.contains(',') {
            return Err(PacketError::IllegalNamespace);
        }
        check_attachments(kind, &attachments, payload.len(), limits)?;
        // Nothing else could be told from the id or the name in front of it.
        if !matches!(payload.as_bytes().first(), None | Some(b'[' | b'{' | b'"')) {
            return Err(PacketError::InvalidPayload);
        }
        let mut text = Vec::with_capacity(payload.len() + namespace.len() + 32);
        let binary = if attachments.is_empty() { 0 } else { 3 };
        text.extend_from_slice(&[b'4', b'0' + kind.number() + binary]);
        if !attachments.is_empty() {
            write_decimal(&mut text, attachments.len());
            text.push(b'-');
        }
        if namespace != "/" {
            text.extend_from_slice(namespace.as_bytes());
            text.push(b',');
        }
        if let Some(id) = ack {
            write_decimal(&mut text, id.get());
        }
        text.extend_from_slice(payload.as_bytes());
        Ok((Self::decode(Bytes::from(text), limits)?, attachments))
    }
}

fn check_attachments(
    kind: PacketKind,
    attachments: &[Bytes],
    payload_bytes: usize,
    limits: &Limits,
) -> Result<(), PacketError> {
    if !attachments.is_empty() && !kind.has_arguments() {
        return Err(PacketError::IllegalAttachments);
    }
    if attachments.len() > limits.attachments {
        return Err(PacketError::TooManyAttachments { limit: limits.attachments });
    }
    let limit = limits.max_payload.saturating_mul(GROWTH_MAX);
    // Each is in memory, so that the sum cannot overflow.
    let bytes = payload_bytes + attachments.iter().map(Bytes::len).sum::<usize>();
    if bytes > limit { Err(PacketError::TooLarge { limit }) } else { Ok(()) }
}

/// An outgoing packet of the default form, taken apart.
pub(crate) struct Split<'a> {
    pub(crate) kind: PacketKind,
    pub(crate) namespace: &'a [u8],
    pub(crate) ack: Option<AckId>,
    pub(crate) payload: &'a [u8],
}

impl Header<'_> {
    /// Takes `text` apart, which we have encoded ourselves. `None` if it is not one of our Socket.IO
    /// packets.
    pub(crate) fn split(text: &[u8]) -> Option<Split<'_>> {
        let [b'4', kind, ..] = *text else { return None };
        let digit = kind.wrapping_sub(b'0');
        let is_binary = matches!(digit, 5 | 6);
        let kind = PacketKind::from_number(if is_binary { digit - 3 } else { digit }).ok()?;
        let mut header = Header { text, at: 2 };
        if is_binary {
            header.attachments(usize::MAX).ok()?;
        }
        let namespace = header.namespace(usize::MAX).ok()?;
        let namespace = if namespace.is_empty() { b"/" } else { text.get(namespace.range())? };
        let ack = header.ack().ok()?;
        Some(Split { kind, namespace, ack, payload: text.get(header.at..)? })
    }
}
