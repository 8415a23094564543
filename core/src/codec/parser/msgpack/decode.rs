//! From MessagePack to JSON and attachments.

mod date;
mod json;

use alloc::borrow::Cow;
use alloc::string::String;

use bytes::Bytes;

use self::json::Json;
use super::reader::{Reader, Token};
use crate::codec::parser::PacketParts;
use crate::codec::socket::PacketKind;
use crate::{AckId, Limits, PacketError};

/// Decodes one packet: first what stands around the data, wherever in the map it does, then these.
pub(super) fn packet(
    message: &Bytes,
    limits: &Limits,
) -> Result<PacketParts<'static>, PacketError> {
    let Fields { kind, namespace, ack, data_start } = fields(message)?;
    let kind = PacketKind::from_number(kind.ok_or(PacketError::InvalidPayload)?)?;
    let namespace = namespace.ok_or(PacketError::IllegalNamespace)?;
    let (payload, attachments) = match data_start {
        Some(start) => Json::new(message, limits, kind).read(start)?,
        // Whether other kinds may lack it is looked at with what it is.
        None if kind == PacketKind::ConnectError => return Err(PacketError::InvalidPayload),
        None => Default::default(),
    };
    let (namespace, payload) = (Cow::Owned(namespace), Cow::Owned(payload));
    Ok(PacketParts { kind, namespace, ack, payload, attachments })
}

/// What the map of a packet has. Of two fields of the same name the last counts.
#[derive(Default)]
struct Fields {
    kind: Option<u8>,
    namespace: Option<String>,
    ack: Option<AckId>,
    /// Where the value is.
    data_start: Option<usize>,
}

fn fields(message: &[u8]) -> Result<Fields, PacketError> {
    let mut reader = Reader::new(message, 0);
    let mut fields = Fields::default();
    let Some(Token::Map(len)) = reader.token() else { return Err(PacketError::InvalidPayload) };
    for _ in 0..len {
        let Some(Token::Str(key)) = reader.token() else { return Err(PacketError::InvalidPayload) };
        let start = reader.at();
        match key {
            b"type" => fields.kind = kind(reader.token())?,
            b"nsp" => fields.namespace = namespace(reader.token())?,
            b"id" => fields.ack = ack(reader.token())?,
            b"data" => {
                reader.skip().ok_or(PacketError::InvalidPayload)?;
                fields.data_start = (!reader.is_undefined_at(start)).then_some(start);
            }
            // Such as `options`, which tells the sender's own engine whether to compress.
            _ => reader.skip().ok_or(PacketError::InvalidPayload)?,
        }
    }
    if reader.is_at_end() { Ok(fields) } else { Err(PacketError::InvalidPayload) }
}

fn kind(value: Option<Token<'_>>) -> Result<Option<u8>, PacketError> {
    match value.and_then(integer) {
        Some(kind) => Ok(Some(u8::try_from(kind).unwrap_or(u8::MAX))),
        None => Err(PacketError::InvalidPayload),
    }
}

fn namespace(value: Option<Token<'_>>) -> Result<Option<String>, PacketError> {
    match value {
        Some(Token::Str(name)) => Ok(Some(String::from_utf8_lossy(name).into_owned())),
        Some(_) | None => Err(PacketError::IllegalNamespace),
    }
}

fn ack(value: Option<Token<'_>>) -> Result<Option<AckId>, PacketError> {
    match value {
        Some(Token::Undefined) => Ok(None),
        value => {
            let id = value.and_then(integer).and_then(AckId::new);
            id.map(Some).ok_or(PacketError::IllegalAckId)
        }
    }
}

/// An integer that is not negative, in whichever form.
fn integer(value: Token<'_>) -> Option<u64> {
    match value {
        Token::Unsigned(value) => Some(value),
        Token::Signed(value) => u64::try_from(value).ok(),
        Token::Float(value) => {
            let integer = value as u64;
            (integer as f64 == value).then_some(integer)
        }
        Token::Nil
        | Token::Undefined
        | Token::Bool(_)
        | Token::Str(_)
        | Token::Bin(_)
        | Token::Date(_)
        | Token::Ext(..)
        | Token::Array(_)
        | Token::Map(_) => None,
    }
}
