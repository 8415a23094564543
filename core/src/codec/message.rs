//! Outgoing.
use crate::{AckId, EncodeError};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::Serialize;
/// Scratch.
#[derive(Debug, Default)]
pub struct Encoder {
    _scratch: Vec<u8>,
}
/// One Engine.IO packet.
#[derive(Clone, Debug)]
pub struct Frame {
    bytes: Bytes,
    packet_start: u8,
    binary: bool,
}
impl Frame {
    /// Text.
    pub fn text(packet: &str) -> Self {
        Self { bytes: Bytes::copy_from_slice(packet.as_bytes()), packet_start: 0, binary: false }
    }
    /// Binary.
    pub fn binary(data: &[u8]) -> Self {
        Self { bytes: Bytes::copy_from_slice(data), packet_start: 0, binary: true }
    }
    /// Header and packet.
    pub fn websocket(&self) -> &Bytes {
        &self.bytes
    }
    /// Packet.
    pub fn packet(&self) -> &[u8] {
        self.bytes.get(usize::from(self.packet_start)..).unwrap_or_default()
    }
    /// Binary?
    pub fn is_binary(&self) -> bool {
        self.binary
    }
}
/// Frames.
#[derive(Clone, Debug)]
pub struct Message(Frames);
#[derive(Clone, Debug)]
enum Frames {
    Single(Frame),
    Many(Arc<[Frame]>),
}
impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        Self(Frames::Single(frame))
    }
}
impl Message {
    /// Frames.
    pub fn frames(&self) -> &[Frame] {
        match &self.0 {
            Frames::Single(frame) => core::slice::from_ref(frame),
            Frames::Many(frames) => frames,
        }
    }
    /// Sum.
    pub fn websocket_bytes(&self) -> usize {
        self.frames().iter().map(|frame| frame.bytes.len()).sum()
    }
    /// Event.
    pub fn event<T: Serialize + ?Sized>(
        _encoder: &mut Encoder,
        _namespace: &str,
        _event: &str,
        _args: &T,
        _ack: Option<AckId>,
    ) -> Result<Self, EncodeError> {
        Ok(Self(Frames::Many(Arc::from([]))))
    }
    /// Ack.
    pub fn ack<T: Serialize + ?Sized>(
        _encoder: &mut Encoder,
        _namespace: &str,
        _id: AckId,
        _args: &T,
    ) -> Result<Self, EncodeError> {
        Ok(Self::noop())
    }
    /// Server's answer to CONNECT.
    pub fn connect(_namespace: &str, _sid: &str, _pid: Option<&str>) -> Self {
        Self::noop()
    }
    /// Client's CONNECT.
    pub fn connect_request<T: Serialize + ?Sized>(
        _encoder: &mut Encoder,
        _namespace: &str,
        _auth: Option<&T>,
    ) -> Result<Self, EncodeError> {
        Ok(Self::noop())
    }
    /// Refusal.
    pub fn connect_error<T: Serialize + ?Sized>(
        _encoder: &mut Encoder,
        _namespace: &str,
        _message: &str,
        _data: Option<&T>,
    ) -> Result<Self, EncodeError> {
        Ok(Self::noop())
    }
    /// DISCONNECT.
    pub fn invalid_namespace(_namespace: &str) -> Self {
        todo!()
    }
    pub fn disconnect(_namespace: &str) -> Self {
        Self::noop()
    }
    /// `2`.
    pub fn ping() -> Self {
        Self::noop()
    }
    /// `3`.
    pub fn pong() -> Self {
        Self::noop()
    }
    /// `2probe`.
    pub fn ping_probe() -> Self {
        Self::noop()
    }
    /// `3probe`.
    pub fn pong_probe() -> Self {
        Self::noop()
    }
    /// `5`.
    pub fn upgrade() -> Self {
        Self::noop()
    }
    /// `6`.
    pub fn noop() -> Self {
        Self::from(Frame::text("6"))
    }
    /// `1`.
    pub fn close() -> Self {
        Self::noop()
    }
}
