//! Engine.IO 4 payloads.
use crate::codec::engine::Inbound;
use crate::codec::message::Message;
use crate::{EngineError, Limits};
use bytes::Bytes;
/// Decodes a body.
pub fn decode(body: Bytes, limits: &Limits) -> Payload<'_> {
    Payload { _body: body, _limits: limits }
}
/// Iterator over the packets of a body; ends after the first error.
#[derive(Debug)]
pub struct Payload<'a> {
    _body: Bytes,
    _limits: &'a Limits,
}
impl Iterator for Payload<'_> {
    type Item = Result<Inbound, EngineError>;
    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}
/// Encodes a body.
pub fn encode<'a, I>(_messages: I) -> Bytes
where
    I: IntoIterator<Item = &'a Message>,
    I::IntoIter: Clone,
{
    Bytes::new()
}
